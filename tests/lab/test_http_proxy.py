# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP proxy of the tunnel, with programs that people use: they reach the hosts of the other site by its virtual
addresses and by name, and nobody reaches anything that site.toml does not name.

    C --- 192.168.1.1:8080 [router a] --- SOCKS5 over the WAN --- [router b] --- D, printer
             127.0.0.1:8080
    stranger ------ 198.51.100.2:8080 (for a), :8081 (user and password) [router b]
"""

import hashlib
import os

import pytest

from natlab import Greeting, Lab, build_sites, nginx, page_of, toml
from natlab.greeter import PORT
from natlab.http_proxy import ask, connect, status_of
from natlab.open_proxy import FOREIGN, nobody_called
from natlab.socks import Refused
from natlab.v2ray import http_outbound, socks_inbound, v2ray

pytestmark = pytest.mark.xdist_group("http-proxy")

LOCAL = "127.0.0.1:8080"
FOR_LAN = "192.168.1.1:8080"
AT_B = "198.51.100.2:8080"
FOR_USERS = "198.51.100.2:8081"
FRIEND = {"user": "friend", "password": "open sesame"}
D = "240.2.2.20"
MEGABYTES = 48

#: Answers POST with the SHA-256 of the content and what it saw of the request, and says nothing of closing.
POST_SERVER = r"""
import hashlib, http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def content(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def do_POST(self):
        names = ",".join(sorted(name.lower() for name in self.headers.keys()))
        text = f"{hashlib.sha256(self.content()).hexdigest()} {self.path} {self.headers['Host']} {names}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def sites():
    with Lab() as lab:
        a, b = build_sites(lab)
        nginx(b.host, big=MEGABYTES)
        nginx(b.printer)
        server = b.host.start("post-server", "/usr/bin/python3", "-c", POST_SERVER)
        server.wait_until(lambda: b.host.listens(8000), "it listens on port 8000")
        a.router.apply(
            toml.site(a)
            + toml.peer(b, '{ socks5 = "198.51.100.2:1080" }')
            + toml.listener(LOCAL, protocol="http")
            + toml.listener(FOR_LAN, allow=["192.168.1.0/24"], to=[b.prefix], protocol="http")
        )
        password = b.router.secret("friend.password", "open sesame\n")
        b.router.apply(
            toml.site(b)
            + 'name    = "printer"\n'
            + toml.peer(a, '{ socks5 = "198.51.100.1:1080" }')
            + toml.listener("198.51.100.2:1080", allow=["198.51.100.1/32"])
            + toml.listener(AT_B, allow=["198.51.100.1/32"], protocol="http")
            + toml.listener(FOR_USERS, user="friend", password_file=password, protocol="http")
        )
        a.router.start_tunnel()
        b.router.start_tunnel()
        yield a, b


def curl(machine, proxy, *options, check=True):
    """`proxy`: ADDRESS:PORT, with USER:PASSWORD@ in front where it wants one."""
    return machine.run("curl", "-sS", "--noproxy", "", "-x", f"http://{proxy}", *options, check=check)


def status(machine, proxy, *options):
    """The status that curl sees last, of the proxy or of the server; 0 when there is none."""
    written = curl(machine, proxy, "-o", "/dev/null", "-w", "%{http_connect} %{http_code}", *options, check=False)
    of_connect, of_request = written.stdout.split()
    return int(of_request) or int(of_connect)


@pytest.mark.parametrize("tunnel", [(), ("-p",)], ids=["absolute", "CONNECT"])
def test_curl_reaches_a_page(sites, tunnel):
    a, b = sites
    page = page_of("D", client="192.168.1.1")
    assert curl(a.host, FOR_LAN, *tunnel, f"http://{D}/").stdout == page
    assert curl(a.router, LOCAL, *tunnel, f"http://{D}/").stdout == page
    assert curl(a.router, LOCAL, *tunnel, "http://printer.b/").stdout == page_of(b.printer.label, "10.10.10.10")
    assert curl(a.router, AT_B, *tunnel, f"http://{D}/").stdout == page
    assert curl(a.router, AT_B, *tunnel, "http://printer/").stdout == page_of(b.printer.label, "10.10.10.10")
    assert curl(a.host, FOR_LAN, *tunnel, "--http1.0", f"http://{D}/").stdout == page


@pytest.mark.parametrize("tunnel", [(), ("-p",)], ids=["absolute", "CONNECT"])
def test_a_large_download_arrives_unharmed(sites, tunnel):
    a, b = sites
    sent = hashlib.sha256((b.router.lab.directory / "nginx-D" / "files" / "big").read_bytes()).hexdigest()
    file = a.router.lab.directory / "download"
    curl(a.host, FOR_LAN, *tunnel, "-o", file, f"http://{D}/big")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sent


@pytest.mark.parametrize("tunnel", [(), ("-p",)], ids=["absolute", "CONNECT"])
@pytest.mark.parametrize("size", [0, 10, 5_000_000])
@pytest.mark.parametrize("fields", [(), ("-H", "Transfer-Encoding: chunked")], ids=["length", "chunked"])
def test_content_arrives_unharmed(sites, tunnel, size, fields):
    """Also where curl waits for "100 Continue" first."""
    a, _ = sites
    file = a.router.lab.directory / "upload"
    file.write_bytes(os.urandom(size))
    answer = curl(a.host, FOR_LAN, *tunnel, *fields, "--data-binary", f"@{file}", f"http://{D}:8000/path?query")
    digest, path, host, names = answer.stdout.split()
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (path, host) == ("/path?query", f"{D}:8000")
    assert "proxy" not in names
    assert ("connection" in names and "via" in names) == (not tunnel)


def test_one_connection_is_one_request(sites):
    """The server would keep the connection, and curl too: the proxy does not, and curl makes another."""
    a, b = sites
    answers = curl(a.host, FOR_LAN, f"http://{D}/", f"http://{D}/", f"http://{D}/").stdout
    assert answers == 3 * page_of("D", client="192.168.1.1")


def test_wget(sites):
    a, _ = sites
    done = a.host.run("wget", "-qO-", "-e", "use_proxy=yes", "-e", f"http_proxy={FOR_LAN}", f"http://{D}/")
    assert done.stdout == page_of("D", client="192.168.1.1")


def test_v2ray_as_a_client(sites):
    _, b = sites
    v2ray(b.stranger, [socks_inbound("127.0.0.1", 1080)], [http_outbound("b", "198.51.100.2", 8081, **FRIEND)])
    done = b.stranger.run("curl", "-sS", "-x", "socks5h://127.0.0.1:1080", f"http://{D}/")
    assert done.stdout == page_of("D", client="192.168.1.1")


def test_user_and_password(sites):
    _, b = sites
    for tunnel in ((), ("-p",)):
        url = (*tunnel, f"http://{D}/")
        assert curl(b.stranger, f"friend:open%20sesame@{FOR_USERS}", *url).stdout == page_of("D", "192.168.1.1")
        # curl asks first which kind is wanted, and comes again.
        known = ("--proxy-anyauth", "-U", "friend:open sesame")
        assert curl(b.stranger, FOR_USERS, *known, *url).stdout == page_of("D", "192.168.1.1")
        for wrong in ("friend:open%20sesam@", "Friend:open%20sesame@", "friend:@", ""):
            assert status(b.stranger, wrong + FOR_USERS, *url) == 407


def test_sources_that_are_not_allowed_are_refused(sites):
    a, b = sites
    for machine, proxy in ((b.stranger, AT_B), (b.host, AT_B), (b.router, AT_B), (a.second, FOR_LAN)):
        with pytest.raises(Refused):
            connect(machine, proxy, f"{D}:{PORT}")
    # What listens on loopback, or on a LAN, is not there for the Internet.
    assert b.stranger.refusal("198.51.100.1", port=8080) == "refused"


@pytest.mark.parametrize("destination", FOREIGN)
def test_destinations_outside_the_own_virtual_prefixes_are_refused(sites, destination):
    a, b = sites
    with nobody_called(sites):
        for machine, proxy, how in ((a.router, AT_B, {}), (b.stranger, FOR_USERS, FRIEND)):
            with pytest.raises(Refused, match="status 403"):
                connect(machine, proxy, f"{destination}:{PORT}", **how)
        assert status(a.router, AT_B, f"http://{destination}:{PORT}/") == 403


def test_the_listeners_do_not_call_one_another(sites):
    """Neither by their addresses nor by the virtual name of their router."""
    a, _ = sites
    for destination in (AT_B, FOR_USERS, "198.51.100.2:1080", "127.0.0.1:12345"):
        with pytest.raises(Refused, match="status 403"):
            connect(a.router, AT_B, destination)
    # There they do not listen, and the transparent port listens on loopback alone.
    for destination in ("240.2.2.1:8080", "240.2.2.1:1080", "240.2.2.1:12345"):
        with pytest.raises(Refused, match="status 502"):
            connect(a.router, AT_B, destination)
    # Here it does, under a virtual name as well.
    for destination in (FOR_LAN, "240.1.1.1:8080"):
        with pytest.raises(Refused, match="status 403"):
            connect(a.host, FOR_LAN, destination)


def test_what_is_there_is_served_all_the_same(sites):
    a, b = sites
    with connect(a.router, AT_B, f"{D}:{PORT}") as connection:
        assert Greeting.read(connection).host == "D"
    with connect(b.stranger, FOR_USERS, f"240.2.10.5:{PORT}", **FRIEND) as connection:
        assert Greeting.read(connection).host == "second-b"


def test_failures_have_their_own_answers(sites):
    a, _ = sites
    assert status(a.router, AT_B, f"http://{D}:81/") == 502
    assert status(a.host, FOR_LAN, f"http://{D}:81/") == 502
    assert status(a.host, FOR_LAN, "http://240.2.2.99/") in (502, 504)


@pytest.mark.slow
def test_a_host_that_says_nothing_at_all_is_a_gateway_timeout(sites):
    """Neither RST nor ICMP: a firewall that drops. The tunnel gives up after 20 seconds."""
    a, b = sites
    b.host.nft("table ip silent { chain input { type filter hook input priority 0; tcp dport 81 drop; }; }")
    try:
        assert status(a.router, AT_B, f"http://{D}:81/") == 504
        assert status(a.host, FOR_LAN, f"http://{D}:81/") == 504
        with pytest.raises(Refused, match="504"):
            connect(a.host, FOR_LAN, f"{D}:81", timeout=40)
    finally:
        b.host.run("nft", "delete", "table", "ip", "silent")
    told = curl(a.router, AT_B, f"http://{D}:81/").stdout
    assert told == "cannot connect: Connection refused; nothing listens on this port\n"
    for line, wanted in (
        ("GET / HTTP/1.1", 400),
        (f"GET https://{D}/ HTTP/1.1", 501),
        (f"GET http://u@{D}/ HTTP/1.1", 400),
        (f"GET http://{D}/ HTTP/1.9", 505),
    ):
        connection, head = ask(a.host, FOR_LAN, line, ["Host: x"])
        connection.close()
        assert status_of(head) == wanted
    connection, head = ask(a.host, FOR_LAN, f"GET http://{D}/ HTTP/1.1", ["Host: x", "A: " + 20_000 * "a"])
    connection.close()
    assert status_of(head) == 431
