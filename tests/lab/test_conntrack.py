# SPDX-License-Identifier: GPL-3.0-or-later
"""Open flows when site.toml changes: exactly those that would be translated wrongly from now on are forgotten, all
others go on; and `natctl flows`, which lists them."""

import hashlib
import json
import os
import re
import socket
import threading

import pytest

from natlab import Veth, build_sites, configure, eventually, linked_sites
from natlab.greeter import PORT
from natlab.machine import assert_echo

#: The single host of site a, and the host that takes its name over.
NAME, PRINTER, SECOND = "240.1.1.200", "10.10.10.7", "10.10.10.5"


@pytest.fixture
def sites(lab):
    """Three sites, applied. Entries of their routers live longer than any test."""
    made = build_sites(lab, "abc")
    configure(made, Veth(lab, made))
    for site in made:
        site.router.apply()
        site.router.sysctl(
            **{
                f"net__netfilter__nf_conntrack_{protocol}_timeout{state}": 3600
                for protocol, state in (("udp", ""), ("udp", "_stream"), ("icmp", ""), ("icmpv6", ""))
            }
        )
    return made


def entries(router):
    """What connection tracking holds, as the conntrack tool lists it: text of protocol, addresses, ports."""
    found = set()
    for family in ("ipv4", "ipv6"):
        for line in router.run("conntrack", "-L", "-f", family, quiet=True).stdout.splitlines():
            parts = re.findall(r"\b(?:src|dst|sport|dport|id)=\S+", line)
            found.add(" ".join([line.split()[0], *parts]))
    return found


def of(address, listed):
    return {entry for entry in listed if re.search(rf"=({re.escape(address)})( |$)", entry)}


def open_tcp(client, address):
    """A conversation that goes on: its first words have been exchanged."""
    connection = client.dial(address)
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1)
    assert_echo(connection, b"hello")
    return connection


class Stream:
    """Bytes that flow from the client to the server without a pause until finish(), which compares the sums."""

    def __init__(self, client, address, server):
        with server.inside():
            listener = socket.create_server(("", 0))
        with listener:
            listener.settimeout(30)
            self._near = client.dial(address, listener.getsockname()[1])
            self._far, _ = listener.accept()
        self._far.settimeout(30)
        self._stop = threading.Event()
        self._sent, self._received = hashlib.sha256(), hashlib.sha256()
        self.bytes = 0
        self._threads = [threading.Thread(target=job, daemon=True) for job in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        block = bytearray(os.urandom(1 << 16))
        number = 0
        while not self._stop.is_set():
            block[:8] = number.to_bytes(8, "big")
            number += 1
            self._near.sendall(block)
            self._sent.update(block)
        self._near.shutdown(socket.SHUT_WR)

    def _receive(self):
        while part := self._far.recv(1 << 16):
            self._received.update(part)
            self.bytes += len(part)

    def still_flows(self):
        before = self.bytes
        eventually(lambda: self.bytes > before + (1 << 20), what="a megabyte more arrives")

    def finish(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        assert self._sent.hexdigest() == self._received.hexdigest()
        self._near.close()
        self._far.close()


def test_a_changed_host_map_ends_the_flows_of_that_name_and_no_other(sites):
    a, b, _ = sites
    # Of the name, begun by the peer and by its host; TCP, UDP and ping.
    doomed = [open_tcp(b.host, NAME), open_tcp(a.printer, "240.2.2.20")]
    assert b.host.udp_greeting(NAME).host == "printer-a"
    b.host.ping(NAME)
    a.printer.ping("240.2.2.20")
    # Of others, both ways; and the very same host by its other name.
    lasting = [
        open_tcp(a.host, "240.2.2.20"),
        open_tcp(b.host, "240.1.1.20"),
        open_tcp(b.host, a.virtual_second(7)),
        open_tcp(a.host, "fd01:2::20"),
        open_tcp(a.host, "198.51.100.66"),
        open_tcp(a.host, a.virtual_second(5)),
    ]
    a.host.udp_greeting("240.2.2.20")
    b.host.ping("240.1.1.20")
    stream = Stream(a.host, "240.2.2.20", b.host)
    before = entries(a.router)
    of_name = of(NAME, before)
    assert {entry.split()[0] for entry in of_name} == {"tcp", "udp", "icmp"}
    assert len(of_name) == 5

    a.router.apply(a.router.toml.read_text().replace(f'"{PRINTER}"', f'"{SECOND}"'))

    after = entries(a.router)
    assert not of(NAME, after)
    assert before - of_name <= after, "what was open and is right stays"
    for connection in lasting:
        assert_echo(connection, b"still here")
    stream.still_flows()
    stream.finish()
    # The name's new host knows nothing of the old connection and says so at once; it answers new ones.
    assert b.host.udp_greeting(NAME).host == "second-a"
    with pytest.raises(ConnectionError):
        doomed[0].sendall(b"are you still there?")
        assert doomed[0].recv(100)
    for connection in doomed + lasting:
        connection.close()


def test_a_ping_that_runs_follows_the_map(sites):
    """One identifier, one connection in the kernel's eyes: without a gap for longer than the change takes."""
    a, b, _ = sites
    capture = b.host.start("ping", "ping", "-n", "-i", "0.05", NAME)
    eventually(lambda: "bytes from" in capture.stdout, what="the first answer")
    assert len(of(NAME, entries(a.router))) == 1
    assert of(PRINTER, of(NAME, entries(a.router)))
    a.router.apply(a.router.toml.read_text().replace(f'"{PRINTER}"', f'"{SECOND}"'))
    eventually(lambda: of(SECOND, of(NAME, entries(a.router))), what="the ping reaches the other host")
    answers = capture.stdout.count("bytes from")
    eventually(lambda: capture.stdout.count("bytes from") > answers + 3, what="answers from there")
    capture.stop("SIGINT")


def test_with_a_peer_its_flows_go_and_those_with_others_stay(sites):
    a, b, c = sites
    gone = [open_tcp(a.host, "240.3.3.20"), open_tcp(c.host, "240.1.1.20")]
    a.host.udp_greeting("240.3.3.20")
    c.host.ping("240.1.1.20")
    lasting = [open_tcp(a.host, "240.2.2.20"), open_tcp(b.host, "240.1.1.20")]
    stream = Stream(b.host, "240.1.1.20", a.host)
    before = entries(a.router)
    with_c = of("240.3.3.20", before)
    assert len(with_c) == 4

    text = a.router.toml.read_text()
    a.router.apply(text[: text.index('[[peer]]\nname    = "c"')])

    after = entries(a.router)
    assert not of("240.3.3.20", after)
    assert before - with_c <= after
    for connection in lasting:
        assert_echo(connection, b"still here")
    stream.still_flows()
    stream.finish()
    for connection in gone + lasting:
        connection.close()


def test_what_began_before_the_first_apply_is_put_right(lab):
    """A client that keeps its port would otherwise stay on its way to the WAN for as long as it asks."""
    a, b = linked_sites(lab)
    b.router.apply()
    with a.host.socket(kind=socket.SOCK_DGRAM, timeout=0.5) as asking, open_tcp(a.host, "198.51.100.66") as plain:
        asking.sendto(b"who are you?", ("240.2.2.20", PORT))
        eventually(lambda: of("240.2.2.20", entries(a.router)), what="the router takes it for the Internet's")
        before = entries(a.router)
        a.router.apply()
        assert entries(a.router) == before - of("240.2.2.20", before)

        def answered():
            asking.sendto(b"who are you?", ("240.2.2.20", PORT))
            return asking.recvfrom(100)[0].split()[0] == b"D"

        eventually(answered, what="the same socket is answered by D")
        assert_echo(plain, b"still here")


def test_down_ends_what_was_translated_and_nothing_else(sites):
    a, b, _ = sites
    plain = open_tcp(a.host, "198.51.100.66")
    ours = [open_tcp(a.host, "240.2.2.20"), open_tcp(b.host, "240.1.1.20"), open_tcp(a.host, "fd01:2::20")]
    b.host.ping("240.1.1.20")
    before = entries(a.router)
    a.router.down()
    assert entries(a.router) == of("198.51.100.66", before)
    assert_echo(plain, b"still here")
    for connection in [plain, *ours]:
        connection.close()


def test_applying_again_forgets_nothing(sites):
    a, b, _ = sites
    with open_tcp(a.host, "240.2.2.20") as out, open_tcp(b.host, NAME) as into:
        before = entries(a.router)
        a.router.apply()
        # A change that translates nothing differently.
        a.router.apply('white_list = ["203.0.113.0/24"]\n' + a.router.toml.read_text())
        assert before <= entries(a.router)
        for connection in (out, into):
            assert_echo(connection, b"still here")


# --- natctl flows -------------------------------------------------------------------------------------------------


def flows(router, *options):
    return json.loads(router.natctl("flows", "--json", *options).stdout)


def test_flows_are_listed_with_addresses_names_and_bytes(sites):
    a, b, c = sites
    a.router.sysctl(net__netfilter__nf_conntrack_acct=1, net__netfilter__nf_conntrack_timestamp=1)
    text = a.router.toml.read_text()
    a.router.apply(text.replace(f'real    = "{PRINTER}"', f'real    = "{PRINTER}"\nname    = "printer"'))
    assert flows(a.router) == []
    assert "no flows" in a.router.natctl("flows").stdout
    plain = open_tcp(a.host, "198.51.100.66")
    out, into = open_tcp(a.host, "240.2.2.20"), open_tcp(b.host, NAME)
    c.host.ping("240.1.1.20")

    by_peer = {(flow["peer"], flow["began"]): flow for flow in flows(a.router)}
    assert set(by_peer) == {("b", "here"), ("b", "there"), ("c", "there")}
    mine = by_peer["b", "here"]
    assert (mine["real"], mine["virtual"], mine["far"]) == ("192.168.1.20", "240.1.1.20", "240.2.2.20")
    assert (mine["port"], mine["far_port"]) == (out.getsockname()[1], PORT)
    assert (mine["protocol"], mine["path"], mine["state"], mine["name"]) == ("tcp", "link", "established", None)
    assert mine["sent"]["bytes"] > 100 and mine["received"]["packets"] >= 2
    assert 0 <= mine["age_seconds"] < 60
    theirs = by_peer["b", "there"]
    assert (theirs["real"], theirs["virtual"], theirs["name"]) == (PRINTER, NAME, "printer")
    assert (theirs["far"], theirs["port"]) == ("240.2.2.20", PORT)
    assert by_peer["c", "there"]["protocol"] == "icmp"

    def selected(*options):
        return {(flow["peer"], flow["began"]) for flow in flows(a.router, *options)}

    assert selected("--peer", "c") == {("c", "there")}
    assert selected("--proto", "tcp") == {("b", "here"), ("b", "there")}
    assert selected("--host", "printer") == {("b", "there")}
    assert selected("--host", "192.168.1.20") == {("b", "here"), ("c", "there")}
    assert selected("--port", str(out.getsockname()[1])) == {("b", "here")}
    assert selected("--proto", "udp") == set()
    table = a.router.natctl("flows", "--proto", "tcp")
    assert NAME in table.stdout and "printer" in table.stdout and "->" in table.stdout and "<-" in table.stdout
    assert "sysctl" not in table.stderr
    for connection in (plain, out, into):
        connection.close()


def test_flows_say_what_is_not_counted_and_refuse_what_is_not_there(sites):
    a, _, _ = sites
    a.router.sysctl(net__netfilter__nf_conntrack_acct=0)
    with open_tcp(a.host, "240.2.2.20"):
        assert flows(a.router)[0]["sent"] is None
        assert "sysctl -w net.netfilter.nf_conntrack_acct=1" in a.router.natctl("flows").stderr
    for options, code in ((["--peer", "x"], 1), (["--proto", "tpc"], 2), (["--port", "0"], 2)):
        result = a.router.natctl("flows", *options, check=False)
        assert result.code == code and result.stderr and not result.stdout, str(result)


def test_flows_can_be_watched_and_end_by_sigint(sites):
    a, _, _ = sites
    program = a.router.lab.program("natctl")
    for name, options in (("watch", ["--watch", "0.2"]), ("watch-json", ["--json", "--watch"])):
        watching = a.router.start(name, program, "flows", a.router.toml, *options)
        watching.wait_until(lambda w=watching: w.stdout, what="the first list")
        with open_tcp(a.host, "240.2.2.20"):
            watching.wait_until(lambda w=watching: "240.2.2.20" in w.stdout, what="the new flow in a later list")
        assert watching.stop("SIGINT") == 0
    # One value a line.
    assert all(isinstance(json.loads(line), list) for line in watching.stdout.splitlines())
