# SPDX-License-Identifier: GPL-3.0-or-later
"""The SOCKS5 listener of the tunnel, with the clients that people use: curl, wget and Python by proxychains, socksify
of dante, v2ray. No packet of the stranger's own gets to a host of b, so what arrives has come through the listener.

    stranger 198.51.100.66 --- 198.51.100.2:1080 (for the stranger)        [router b] --- D, printer
                                           :1081 (by user and password)
"""

import socket

import pytest

from natlab import STRANGER, Greeting, Lab, build_sites, eventually, nginx, page_of, toml
from natlab.greeter import PORT
from natlab.socks import associate, encode
from natlab.v2ray import socks_inbound, socks_outbound, v2ray

pytestmark = pytest.mark.xdist_group("socks-clients")

B = "198.51.100.2"
OPEN, FOR_USERS = 1080, 1081
FRIEND = {"user": "friend", "password": "sesame"}
#: D by address, and the printer by its name in site.toml; and as whom they see the client.
HOSTS = {"240.2.2.20": ("D", "192.168.1.1"), "printer": ("printer-b", "10.10.10.10")}

#: Prints what the greeter at HOST says by TCP, or by UDP, and back to whom it was said.
GREET = r"""
import socket, sys
kind, host, port = sys.argv[1:]
if kind == "tcp":
    with socket.create_connection((host, int(port)), 10) as connection:
        with connection.makefile("rwb") as lines:
            print(lines.readline().decode().strip())
            lines.write(b"x" * 100000 + b"\n")
            lines.flush()
            print(len(lines.readline()))
else:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2)
        for _ in range(10):
            try:
                asking.sendto(b"who are you?", (host, int(port)))
                answer, sender = asking.recvfrom(65536)
                break
            except TimeoutError:
                pass
        print(answer.decode().strip())
        print(*sender)
"""


@pytest.fixture(scope="module")
def b():
    with Lab() as lab:
        _, b = build_sites(lab)
        nginx(b.host)
        nginx(b.printer)
        password = b.router.secret("friend.password", FRIEND["password"] + "\n")
        b.router.apply(
            toml.site(b)
            + 'name    = "printer"\n'
            + f'\n[[map]]\nvirtual = "{b.prefix6}"\nreal    = "fd00:a::/64"\n'
            + toml.listener(f"{B}:{OPEN}", allow=[f"{STRANGER}/32"])
            + toml.listener(f"{B}:{FOR_USERS}", user=FRIEND["user"], password_file=password)
        )
        b.router.start_tunnel()
        assert b.stranger.run("ping", "-c1", "-W1", b.virtual(20), check=False).code != 0
        yield b


def users(proxy):
    """USER:PASSWORD@, or nothing."""
    return "friend:sesame@" if proxy == FOR_USERS else ""


BOTH = pytest.mark.parametrize("proxy", [OPEN, FOR_USERS], ids=["nobody", "user"])
EACH = pytest.mark.parametrize("host", HOSTS)


@BOTH
@EACH
def test_curl(b, proxy, host):
    page = page_of(*HOSTS[host])
    at = f"{users(proxy)}{B}:{proxy}"
    ways = [("--socks5-hostname", at), ("-x", f"socks5h://{at}")]
    if host[0].isdigit():
        ways += [("--socks5", at), ("-x", f"socks5://{at}")]
    for way in ways:
        assert b.stranger.run("curl", "-sS", *way, f"http://{host}/").stdout == page


def test_curl_over_ipv6(b):
    at = f"{B}:{OPEN}"
    page = page_of("D", "fd00:a::1")
    for way in ("--socks5", "--socks5-hostname"):
        assert b.stranger.run("curl", "-sS", "-g", way, at, f"http://[{b.virtual6(20)}]/").stdout == page


@pytest.mark.parametrize("user", ["", "friend:sesam@", "Friend:sesame@", "friend:@"])
def test_curl_with_a_wrong_password_is_told_so(b, user):
    """97: CURLE_PROXY."""
    done = b.stranger.run("curl", "-sS", "-x", f"socks5h://{user}{B}:{FOR_USERS}", "http://240.2.2.20/", check=False)
    assert done.code == 97, str(done)


def proxychains(b, proxy, *command, check=True):
    file = b.router.lab.directory / f"proxychains-{proxy}.conf"
    user = f"{FRIEND['user']} {FRIEND['password']}" if proxy == FOR_USERS else ""
    file.write_text(f"strict_chain\nproxy_dns\n[ProxyList]\nsocks5 {B} {proxy} {user}\n")
    return b.stranger.run("proxychains4", "-q", "-f", file, *command, check=check)


DANTE = """
logoutput: stderr
resolveprotocol: fake
"""
DANTE_ROUTE = """
route {{
    from: 0.0.0.0/0 to: {to} via: {address} port = {port}
    protocol: tcp udp
    proxyprotocol: socks_v5
    method: {method}
}}
"""


def socksify(b, proxy, *command, check=True):
    file = b.router.lab.directory / f"socksify-{proxy}.conf"
    method = "username" if proxy == FOR_USERS else "none"
    routes = [DANTE_ROUTE.format(to=to, address=B, port=proxy, method=method) for to in ("0.0.0.0/0", ".")]
    file.write_text(DANTE + "".join(routes))
    who = {"SOCKS_USERNAME": FRIEND["user"], "SOCKS_PASSWORD": FRIEND["password"]}
    return b.stranger.run("socksify", *command, env={"SOCKS_CONF": str(file), **who}, check=check)


WRAPPERS = pytest.mark.parametrize("wrapped", [proxychains, socksify])


@BOTH
@EACH
@WRAPPERS
def test_programs_in_a_wrapper_reach_hosts_by_tcp(b, wrapped, proxy, host):
    name, saw = HOSTS[host]
    said = wrapped(b, proxy, "/usr/bin/python3", "-c", GREET, "tcp", host, PORT).stdout
    assert said.split("\n")[:2] == [f"{name} {saw}", "100001"]
    assert wrapped(b, proxy, "wget", "-qO-", f"http://{host}/").stdout == page_of(name, saw)


@WRAPPERS
def test_programs_in_a_wrapper_are_told_of_a_closed_port(b, wrapped):
    done = wrapped(b, OPEN, "/usr/bin/python3", "-c", GREET, "tcp", "240.2.2.20", 81, check=False)
    assert "ConnectionRefusedError" in done.stderr, str(done)


@BOTH
@EACH
def test_socksify_carries_udp(b, proxy, host):
    said = socksify(b, proxy, "/usr/bin/python3", "-c", GREET, "udp", host, PORT).stdout.split("\n")
    assert said[0] == " ".join(HOSTS[host])
    if host[0].isdigit():
        assert said[1] == f"{host} {PORT}"


@BOTH
def test_v2ray(b, proxy):
    port = 2000 + proxy
    who = FRIEND if proxy == FOR_USERS else {}
    v2ray(b.stranger, [socks_inbound("127.0.0.1", port)], [socks_outbound("b", B, proxy, **who)], name=f"v2ray-{proxy}")
    for host, (name, saw) in HOSTS.items():
        done = b.stranger.run("curl", "-sS", "-x", f"socks5h://127.0.0.1:{port}", f"http://{host}/")
        assert done.stdout == page_of(name, saw)
        assert udp_by_hand(b.stranger, f"127.0.0.1:{port}", host) == Greeting(name, saw)


def udp_by_hand(machine, proxy, host):
    """Who answers a datagram sent by the proxy."""
    control, relay = associate(machine, proxy)
    with control, machine.socket(kind=socket.SOCK_DGRAM, timeout=1) as asking:

        def answered():
            asking.sendto(bytes(3) + encode(f"{host}:{PORT}") + b"who are you?", relay)
            answer = asking.recv(100)
            # RSV, FRAG, ATYP, an IPv4 address and the port; or a name with its length.
            return Greeting.parse(answer[10 if answer[3] == 1 else 7 + answer[4] :])

        return eventually(answered, what=f"an answer from {host}")
