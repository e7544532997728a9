# SPDX-License-Identifier: GPL-3.0-or-later
"""UDP between two sites with equal addresses, over SOCKS5 (RFC 1928, section 7), with different far sides.

    C --- [router a: kernel -> natctl-tunnel] --- association over the WAN --- [router b: far side -> kernel] --- D

The far sides are those of natlab/far_sides.py.
"""

import contextlib
import json
import os
import socket
import struct
import threading

import pytest

from natlab import Greeting, Lab, build_sites, eventually, toml
from natlab.far_sides import SOCKS, Microsocks, Natctl, SocksPair, V2ray, Xray
from natlab.socks import Refused, associate, encode

FAR_SIDES = {"natctl": Natctl(ipv6=True), "v2ray": V2ray(), "xray": Xray()}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"udp-{name}")) for name in FAR_SIDES],
)
def pair(request):
    with Lab() as lab:
        yield SocksPair(lab, FAR_SIDES[request.param])


class Echo:
    """Sends every datagram back, from the port it came to or from another one."""

    def __init__(self, machine, port, answer_from=None, family=socket.AF_INET):
        self._listening = machine.socket(family, socket.SOCK_DGRAM, timeout=0.1)
        self._listening.bind(("", port))
        self._answering = self._listening
        if answer_from is not None:
            self._answering = machine.socket(family, socket.SOCK_DGRAM)
            self._answering.bind(("", answer_from))
        self.clients = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._end.is_set():
            with contextlib.suppress(OSError):
                said, client = self._listening.recvfrom(65536)
                self.clients.append(client)
                self._answering.sendto(said, client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
        self._listening.close()
        self._answering.close()


def ask(machine, address, port, question, answer_port=None):
    """The answer to a datagram; asks again, because the first ones may be lost."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with machine.socket(family, socket.SOCK_DGRAM, timeout=1) as asking:

        def answered():
            asking.sendto(question, (address, port))
            answer, sender = asking.recvfrom(65536)
            assert sender[:2] == (address, answer_port or port), f"the answer came from {sender}"
            return answer == question

        return eventually(answered, what=f"{len(question)} bytes come back from {address}:{port}")


def test_the_far_host_answers_and_sees_its_router(pair):
    for near, far in pair.directions():
        assert near.host.udp_greeting(far.virtual(20)) == Greeting(host=far.host.label, saw="192.168.1.1")


def test_the_second_lan_a_single_host_and_the_routers(pair):
    for near, far in pair.directions():
        assert near.host.udp_greeting(far.virtual_second(5)).host == f"second-{far.name}"
        assert near.second.udp_greeting(far.virtual(20)).host == far.host.label
        assert near.host.udp_greeting(far.virtual(200)).host == f"printer-{far.name}"
        assert near.router.udp_greeting(far.virtual(20)).host == far.host.label
        assert near.host.udp_greeting(far.virtual(1)).host == f"router-{far.name}"


@pytest.mark.parametrize("size", [0, 1, 512, 1472, 2038, 9000, 65497])
def test_datagrams_arrive_whole(pair, size):
    if size > pair.far_side.largest or (size == 0 and not pair.far_side.both_ways):
        pytest.skip("this proxy does not carry them")
    with Echo(pair.b.host, 5300 + size % 100):
        ask(pair.a.host, pair.b.virtual(20), 5300 + size % 100, os.urandom(size))


def test_what_is_too_large_is_dropped_and_said(pair):
    if not pair.far_side.both_ways:
        pytest.skip("v2ray cuts it in silence")
    with Echo(pair.b.host, 5400) as echo:
        with pair.a.host.socket(kind=socket.SOCK_DGRAM) as asking:
            asking.sendto(bytes(65507), (pair.b.virtual(20), 5400))
            eventually(lambda: "too large for the link: 65517 bytes" in pair.tunnel.stderr)
        assert not echo.clients
    (drop,) = json.loads(pair.a.router.natctl("status", "--json").stdout)["tunnel"]["drops"]
    assert "too large" in drop["cause"] and drop["count"] >= 1


def test_by_ipv6_to_the_proxy_the_largest_datagram_fits(lab):
    a, b = build_sites(lab)
    for site in (a, b):
        site.router.ip(f"address add fd00:99::{site.number}/64 dev wan0 nodad")
    a.router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "[fd00:99::2]:{SOCKS}" }}'))
    b.router.configure(toml.site(b) + toml.listener(f"[fd00:99::2]:{SOCKS}", allow=["fd00:99::1/128"]))
    for site in (a, b):
        site.router.apply()
        site.router.start_tunnel()
    with Echo(b.host, 5400):
        for size in (1, 65497, 65507):
            ask(a.host, b.virtual(20), 5400, os.urandom(size))


@pytest.mark.parametrize("size", [300, 1200, 1800])
def test_bursts_arrive_whole_and_in_order(pair, size):
    """Many datagrams at once, some of them of another size, below and above what fits into a packet of the WAN."""
    if not pair.far_side.both_ways:
        pytest.skip("v2ray loses bursts")
    datagrams = [os.urandom(size if number % 10 else size - number) for number in range(60)]
    with (
        pair.b.host.socket(kind=socket.SOCK_DGRAM, timeout=1) as there,
        pair.a.host.socket(kind=socket.SOCK_DGRAM, timeout=1) as here,
    ):
        there.bind(("", 5450))
        here.connect((pair.b.virtual(20), 5450))

        def opened():
            here.send(b"anybody there?")
            return there.recvfrom(100)[1]

        client = eventually(opened)
        for sender, receiver in ((here.send, there), (lambda data: there.sendto(data, client), here)):

            def arrives(sender=sender, receiver=receiver):
                receiver.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    while True:
                        receiver.recv(65536)
                for datagram in datagrams:
                    sender(datagram)
                receiver.settimeout(2)
                return [receiver.recv(65536) for _ in datagrams] == datagrams

            eventually(arrives, what="a burst arrives")


def test_dns_beside_another_server_that_has_port_53_of_every_address(pair):
    """The tunnel must answer C from 240.2.2.20:53, a port that it cannot bind."""
    other = pair.a.router.socket(kind=socket.SOCK_DGRAM)
    other.bind(("0.0.0.0", 53))
    with other, Echo(pair.b.host, 53):
        for size in (40, 1232, 2038):
            ask(pair.a.host, pair.b.virtual(20), 53, os.urandom(size))
        other.settimeout(0.1)
        with pytest.raises(TimeoutError):
            other.recv(100)
    assert "another program has UDP port 53" in pair.tunnel.stderr


def test_dns_of_a_real_server(pair):
    """Short answers by UDP; long ones are cut by the server, and come by TCP."""
    many = [f"--host-record=many.example,192.0.2.{n}" for n in range(1, 120)]
    server = pair.b.host.start(
        "dnsmasq",
        *("dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root", "--conf-file=/dev/null"),
        *("--port=53", "--pid-file=", "--bind-interfaces", "--listen-address=192.168.1.20"),
        *("--host-record=printer.example,192.0.2.7", *many),
    )
    server.wait_until(lambda: pair.b.host.listens(53), "it listens")
    try:
        resolver = pair.b.virtual(20)
        for number in range(50):
            flags, addresses = query(pair.a.host, resolver, "printer.example", number + 1)
            assert not flags & TRUNCATED and addresses == {"192.0.2.7"}
        flags, addresses = query(pair.a.host, resolver, "many.example", 1000)
        assert flags & TRUNCATED and len(addresses) < 119
        flags, addresses = query_by_tcp(pair.a.host, resolver, "many.example", 1001)
        assert not flags & TRUNCATED and len(addresses) == 119
    finally:
        # It answers TCP in processes of its own, which end a little later.
        server.kill()
        with pair.b.host.socket(kind=socket.SOCK_DGRAM) as free:
            eventually(lambda: free.bind(("", 53)) is None, what="the port is free again")


TRUNCATED = 0x0200


def question(name, number):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


def answer(message, number):
    """Flags, and the addresses of an answer whose names all point at the question."""
    identifier, flags, questions, answers = struct.unpack("!HHHH", message[:8])
    assert identifier == number and questions == 1
    place = message.index(b"\0", 12) + 5
    addresses = set()
    for _ in range(answers):
        assert message[place] & 0xC0 == 0xC0
        length = int.from_bytes(message[place + 10 : place + 12], "big")
        addresses.add(socket.inet_ntoa(message[place + 12 : place + 12 + length]))
        place += 12 + length
    return flags, addresses


def query(machine, resolver, name, number):
    with machine.socket(kind=socket.SOCK_DGRAM, timeout=1) as asking:
        asking.connect((resolver, 53))

        def answered():
            asking.send(question(name, number))
            return answer(asking.recv(65536), number)

        return eventually(answered, what=f"{resolver} knows {name}")


def query_by_tcp(machine, resolver, name, number):
    with machine.dial(resolver, 53) as asking:
        message = question(name, number)
        asking.sendall(struct.pack("!H", len(message)) + message)
        said = b""
        while len(said) < 2 or len(said) < 2 + int.from_bytes(said[:2], "big"):
            part = asking.recv(65536)
            assert part, "the answer ends too early"
            said += part
        return answer(said[2:], number)


def test_a_server_that_wants_port_53_of_every_address_gets_it_soon(pair):
    with Echo(pair.b.host, 53):
        ask(pair.a.host, pair.b.virtual(20), 53, b"who answers?")
    with pair.a.router.socket(kind=socket.SOCK_DGRAM) as other:
        eventually(lambda: other.bind(("0.0.0.0", 53)) is None, what="the tunnel gives up the port")


def test_many_clients_and_many_targets_at_once(pair):
    near, far = pair.a, pair.b
    targets = [far.virtual(20), far.virtual(1), far.virtual_second(5), far.virtual(200)]
    with contextlib.ExitStack() as all_of_them:
        sockets = [
            all_of_them.enter_context(near.host.socket(kind=socket.SOCK_DGRAM, timeout=1)) for _ in range(30)
        ]
        waiting = {(number, target) for number in range(len(sockets)) for target in targets}

        def all_answered():
            for number, target in waiting:
                sockets[number].sendto(b"who are you?", (target, 7007))
            for number, asking in enumerate(sockets):
                with contextlib.suppress(BlockingIOError):
                    asking.setblocking(False)
                    while True:
                        _, (sender, port) = asking.recvfrom(100)
                        assert port == 7007
                        waiting.discard((number, sender))
            return not waiting

        eventually(all_answered, what="30 sockets hear from 4 targets each")


def test_any_host_of_the_peer_may_answer(pair):
    """What STUN calls endpoint-independent mapping and filtering: one address for all targets, open to all of them."""
    if not pair.far_side.full_cone:
        pytest.skip("this proxy is not full cone")
    for near, far in pair.directions():
        with Echo(far.host, 3478) as first, Echo(far.second, 3478) as second:
            with near.host.socket(kind=socket.SOCK_DGRAM, timeout=1) as asking:
                for target, server in ((far.virtual(20), first), (far.virtual_second(5), second)):

                    def reached(target=target, server=server):
                        asking.sendto(b"binding request", (target, 3478))
                        asking.recv(100)
                        return server.clients

                    eventually(reached)
                assert first.clients[-1][1] == second.clients[-1][1], "the port differs from target to target"
                mapped = first.clients[-1]
                with far.host.socket(kind=socket.SOCK_DGRAM) as other_port:
                    other_port.bind(("", 3479))
                    eventually(lambda: heard(asking, other_port, mapped, (far.virtual(20), 3479)))


def heard(asking, sender, mapped, expected):
    sender.sendto(b"hole punched", mapped)
    while True:
        said, origin = asking.recvfrom(100)
        if said == b"hole punched":
            assert origin == expected
            return True


def test_ipv6(pair):
    if not pair.far_side.both_ways:
        pytest.skip("the IPv6 prefixes are not configured here")
    for near, far in pair.directions():
        assert near.host.udp_greeting(far.virtual6(20)).host == far.host.label
        with Echo(far.host, 5600, family=socket.AF_INET6):
            for size in (1, 1232, 9000, 65000):
                ask(near.host, far.virtual6(20), 5600, os.urandom(size))


def test_a_restarted_proxy_is_associated_with_anew(pair):
    with Echo(pair.b.host, 5700):
        ask(pair.a.host, pair.b.virtual(20), 5700, b"before")
        pair.far_program.kill()
        pair.start_far_side()
        ask(pair.a.host, pair.b.virtual(20), 5700, b"after")


def test_our_server_takes_datagrams_from_its_client_alone(pair):
    if not pair.far_side.both_ways:
        pytest.skip("v2ray takes them from anybody")
    a, b = pair.a, pair.b
    proxy = f"{b.wan}:{SOCKS}"
    with pytest.raises(Refused):
        associate(b.stranger, proxy)
    control, relay = associate(a.router, proxy)
    with control, Echo(b.host, 5800) as echo:
        header = bytes(3) + encode(f"{b.virtual(20)}:5800")
        with b.stranger.socket(kind=socket.SOCK_DGRAM) as stranger:
            stranger.sendto(header + b"let me in", relay)
        with a.router.socket(kind=socket.SOCK_DGRAM, timeout=1) as client:

            def answered():
                client.sendto(header + b"hello", relay)
                return client.recv(100) == header + b"hello"

            eventually(answered)
            assert len(set(echo.clients)) == 1
            for forbidden in ("192.168.1.20", "127.0.0.1", "198.51.100.66", "10.10.10.5"):
                client.sendto(bytes(3) + encode(f"{forbidden}:5800") + b"hello", relay)
            seen = len(echo.clients)
            eventually(answered)
            assert len(set(echo.clients)) == 1 and len(echo.clients) > seen


def test_a_proxy_without_udp_is_named_in_the_log(lab):
    pair = SocksPair(lab, Microsocks())
    with pair.a.host.socket(kind=socket.SOCK_DGRAM) as asking:
        asking.sendto(b"anybody there?", (pair.b.virtual(20), 7007))
        eventually(lambda: "command not supported; turn on UDP at the proxy" in pair.tunnel.stderr)
    assert pair.a.host.greeting(pair.b.virtual(20)).host == "D"
