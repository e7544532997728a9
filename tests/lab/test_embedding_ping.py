# SPDX-License-Identifier: GPL-3.0-or-later
"""Pings to the IPv6 prefix of b that carries the IPv4 addresses of its LANs: natctl-tunnel of b asks the IPv4 hosts.

    C fd00:a::20 --- [router a] === overlay === [router b: kernel -> natctl-tunnel -> kernel] --- D, second, printer
"""

import contextlib
import os
import socket
import struct
import threading

import pytest

from natlab import Capture, Lab, Veth, build_sites, eventually, toml
from natlab.embedding import MAP, PREFIX, carrying
from natlab.pinger import Pinger

pytestmark = pytest.mark.xdist_group("embedding-ping")

D, SECOND, PRINTER, ROUTER, NOBODY = "192.168.1.20", "10.10.10.5", "10.10.10.7", "192.168.1.1", "192.168.1.77"
#: Seconds in which an answer would come if there was one.
A_MOMENT = 0.5


def configuration_of_b(b, a, link, embedding=MAP):
    return toml.site(b, ipv6=True) + embedding + toml.peer(a, link.to(a), ipv6=True)


@pytest.fixture(scope="module")
def sites():
    with Lab() as lab:
        a, b = build_sites(lab)
        link = Veth(lab, [a, b])
        peer = toml.peer(b, link.to(b), ipv6=True).replace(f'"{b.prefix6}"', f'"{b.prefix6}", "{PREFIX}"')
        a.router.apply(toml.site(a, ipv6=True) + peer)
        b.router.apply(configuration_of_b(b, a, link))
        b.router.start_tunnel()
        b.link = link
        yield a, b


def asker(sites, name):
    a, b = sites
    return {"C": a.host, "router a": a.router, "D": b.host, "router b": b.router}[name]


ASKERS = ["C", "router a", "D", "router b"]


# --- who gets an answer ---


@pytest.mark.parametrize("real", [D, SECOND, PRINTER, ROUTER])
@pytest.mark.parametrize("name", ASKERS)
def test_a_host_is_pinged_and_answers_under_the_name_it_was_asked_by(sites, name, real):
    asker(sites, name).ping(carrying(real))


@pytest.mark.parametrize("size", [0, 56, 1400, 20000])
@pytest.mark.parametrize("name", ASKERS)
def test_pings_of_any_size(sites, name, size):
    """ping compares what comes back with the pattern."""
    address = carrying(SECOND)

    def answered():
        result = asker(sites, name).run("ping", "-6", "-n", "-c1", "-W2", "-p", "a55a0f", f"-s{size}", address)
        assert f"{size + 8} bytes from {address}: icmp_seq=1" in result.stdout, str(result)
        assert "wrong data" not in result.stdout, str(result)
        return True

    assert eventually(answered)


def test_identifier_sequence_and_data_come_back(sites):
    a, _ = sites
    with Pinger(a.host, 0xBEEF) as pinger:
        for sequence, size in ((0, 0), (1, 1), (0x1234, 777), (0xFFFF, 1232)):
            data = os.urandom(size)
            pinger.ask(carrying(D), sequence, data)
            reply = next(pinger.replies(10))
            assert reply == (carrying(D), sequence, data)


def test_the_ipv4_host_sees_its_own_router(sites):
    a, b = sites
    with Capture(b.second, "eth0") as seen:
        a.host.ping(carrying(SECOND))
    conversation = [packet for packet in seen.packets() if packet.proto == "icmp"]
    assert sorted((str(packet.source), str(packet.destination)) for packet in conversation) == [
        ("10.10.10.10", SECOND),
        (SECOND, "10.10.10.10"),
    ]


# --- who does not ---


def test_a_host_that_does_not_exist_is_silent(sites):
    """Longer than the router looks for its neighbour, after which it tells itself that the host is unreachable."""
    command = ("ping", "-6", "-n", "-c1", "-W4", carrying(NOBODY))
    for ping in [asker(sites, name).start("ping", *command) for name in ASKERS]:
        assert ping.wait() == 1
        assert "1 packets transmitted, 0 received, 100% packet loss" in ping.stdout
        assert "From" not in ping.stdout, "nor does an ICMP error come"


UNLISTED = [
    "198.51.100.66",  # the stranger, who would answer
    "198.51.100.2",
    "127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "192.168.2.1",
    "240.2.2.20",
    "192.168.1.255",  # listed, and nobody's: a broadcast, which D would see
]


@pytest.mark.parametrize("name", ASKERS)
def test_what_the_map_does_not_list_is_not_even_asked(sites, name):
    a, b = sites
    with Capture(a.stranger, "wan0") as at_stranger, Capture(b.host, "eth0") as at_host:
        with Pinger(asker(sites, name), 0xC0DE) as pinger:
            for real in UNLISTED:
                pinger.ask(carrying(real))
            pinger.ask(carrying(PRINTER), 2)
            assert [reply[:2] for reply in pinger.replies(A_MOMENT)] == [(carrying(PRINTER), 2)]
    for seen in (at_stranger, at_host):
        assert not [packet for packet in seen.packets() if packet.proto == "icmp"]
    assert "the map does not list the embedded address" in b.router.tunnel.stderr


def test_only_the_host_that_was_asked_may_answer(sites):
    """second is made deaf, so that this test answers in its place, and in that of others."""
    a, b = sites
    with Pinger(a.host, 0xFACE) as pinger, raw_icmp(b.second) as second, raw_icmp(b.printer) as printer:
        b.second.sysctl(net__ipv4__icmp_echo_ignore_all=1)
        try:
            pinger.ask(carrying(SECOND), 1, b"who")
            packet = second.recv(2000)
            assert packet[20] == 8 and packet[28:] == b"who"
            (identifier,) = struct.unpack("!H", packet[24:26])
            router = ("10.10.10.10", 0)
            printer.sendto(icmp(0, identifier, 1, b"not I"), router)
            second.sendto(icmp(0, identifier ^ 0x1000, 1, b"another ping"), router)
            second.sendto(icmp(8, identifier, 1, b"a question"), router)
            second.sendto(spoilt(icmp(0, identifier, 1, b"harmed on the way")), router)
            second.sendto(icmp(0, identifier, 1, b"I"), router)
            assert list(pinger.replies(A_MOMENT)) == [(carrying(SECOND), 1, b"I")]
        finally:
            b.second.sysctl(net__ipv4__icmp_echo_ignore_all=0)


@contextlib.contextmanager
def raw_icmp(machine):
    with machine.inside():
        made = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    made.settimeout(10)
    with made:
        yield made


def icmp(kind, identifier, sequence, data):
    message = struct.pack("!BBHHH", kind, 0, 0, identifier, sequence) + data
    padded = message + bytes(len(message) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:]


def spoilt(message):
    return message[:-1] + bytes([message[-1] ^ 1])


# --- many at once ---


def test_askers_with_the_same_identifier_get_their_own_answers(sites):
    names = ["C", "router a", "D"]
    with contextlib.ExitStack() as stack:
        pingers = {name: stack.enter_context(Pinger(asker(sites, name), 0x0101)) for name in names}
        for sequence in range(1, 51):
            for name, pinger in pingers.items():
                pinger.ask(carrying(SECOND), sequence, f"{name} {sequence}".encode())
        for name, pinger in pingers.items():
            got = list(pinger.replies(A_MOMENT))
            assert got == [
                (carrying(SECOND), sequence, f"{name} {sequence}".encode()) for sequence in range(1, 51)
            ]


def test_a_flood_of_pings_hurts_nobody(sites):
    """More flows than the tunnel remembers, faster than it passes them on."""
    a, b = sites
    over = threading.Event()

    def flood():
        with Pinger(a.host, 0) as pinger:
            while not over.is_set():
                pinger.identifier = (pinger.identifier + 1) & 0xFFFF
                pinger.ask(carrying(PRINTER))

    flooding = threading.Thread(target=flood, daemon=True)
    flooding.start()
    try:
        for _ in range(5):
            assert a.host.greeting(carrying(D)).host == "D"
            assert b.host.greeting(carrying(SECOND)).host == "second-b"
            b.host.ping(carrying(SECOND))
    finally:
        over.set()
        flooding.join()
    a.host.ping(carrying(D))


# --- the tunnel comes and goes ---


def silent(machine, address):
    with Pinger(machine, 0xDEAD) as pinger:
        pinger.ask(address)
        return not list(pinger.replies(A_MOMENT))


def test_without_a_tunnel_nobody_answers(sites):
    a, b = sites
    b.router.tunnel.stop()
    try:
        assert silent(a.host, carrying(D)) and silent(b.router, carrying(D)), "least of all the kernel"
        found = b.router.trace("fd01:1::20", carrying(D), "icmp")
        assert found["fate"] == "dropped" and "systemctl start natctl-tunnel" in found["reason"]
    finally:
        b.router.start_tunnel()
    a.host.ping(carrying(D))


def test_nothing_is_answered_that_the_rules_did_not_hand_over(sites):
    _, b = sites
    b.router.ping(carrying(D))
    b.router.nft("flush chain inet natctl tun_in")
    try:
        assert silent(b.router, carrying(D))
    finally:
        b.router.apply()
    b.router.ping(carrying(D))


def test_the_map_comes_and_goes_with_a_reload(sites):
    a, b = sites
    tunnel = b.router.tunnel

    def reload(embedding):
        before = tunnel.stderr.count("reloaded")
        b.router.configure(configuration_of_b(b, a, b.link, embedding))
        tunnel.send("SIGHUP")
        eventually(lambda: tunnel.stderr.count("reloaded") > before)

    a.host.ping(carrying(D))
    reload("")
    assert silent(a.host, carrying(D))
    reload(MAP.replace('"192.168.1.0/24", ', ""))
    a.host.ping(carrying(SECOND))
    assert silent(a.host, carrying(D))
    reload(MAP)
    a.host.ping(carrying(D))


def test_without_the_right_to_raw_sockets_all_else_works(sites):
    a, b = sites
    b.router.tunnel.stop()
    tunnel = b.router.start_tunnel("setpriv", "--bounding-set", "-net_raw")
    try:
        assert a.host.greeting(carrying(D)).host == "D"
        assert a.host.udp_greeting(carrying(SECOND)).host == "second-b"
        assert silent(a.host, carrying(D))
        (warning,) = [line for line in tunnel.stderr.splitlines() if "stay unanswered" in line]
        assert "pings to prefixes that carry IPv4 addresses" in warning and "cannot create a raw ICMPv6" in warning
        assert warning.endswith("run natctl-tunnel as root or with CAP_NET_RAW")
    finally:
        tunnel.stop()
        b.router.start_tunnel()


# --- what natctl says of it ---


@pytest.mark.parametrize("source", ["fd01:1::20", "fd00:a::20", "router"])
def test_trace_tells_whom_the_tunnel_pings(sites, source):
    _, b = sites
    found = b.router.trace(source, carrying(SECOND), "icmp")
    assert found["passes"] and found["fate"] == "tunnel"
    assert f"it pings {SECOND}" in found["steps"][-1]["text"]
    unlisted = b.router.trace(source, carrying("192.168.2.1"), "icmp")
    assert "it stays silent: the map does not list" in unlisted["steps"][-1]["text"]


def natctl_ping(router, real):
    return router.run(router.lab.program("natctl"), "ping", carrying(real), "--config", router.toml, check=False)


def test_natctl_ping_asks_the_ipv4_host(sites):
    a, b = sites
    for router in (a.router, b.router):
        result = natctl_ping(router, D)
        assert result.code == 0 and f"{D} answers in" in result.stdout, str(result)
    result = natctl_ping(b.router, NOBODY)
    assert result.code == 1 and f"ip neigh show {NOBODY}" in result.stdout, str(result)


def test_natctl_ping_misses_the_tunnel(sites):
    _, b = sites
    b.router.tunnel.stop()
    try:
        result = natctl_ping(b.router, D)
        assert result.code == 1 and "FAIL  natctl-tunnel does not listen at [::1]:" in result.stdout, str(result)
        assert "systemctl start natctl-tunnel" in result.stdout
    finally:
        b.router.start_tunnel()
