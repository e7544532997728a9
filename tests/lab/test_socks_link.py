# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites with equal addresses over links that carry flows: SOCKS5, with different far sides.

    C --- [router a: kernel -> natctl-tunnel] --- SOCKS5 over the WAN --- [router b: far side -> kernel] --- D

    natctl       the far side is natctl-tunnel, in both directions
    v2ray        the far side is v2ray's socks inbound with freedom
    xray         the chain that a user of Xray runs:
                 natctl-tunnel a -> socks on loopback, v2ray a -> VLESS over the WAN -> v2ray b, freedom -> kernel b
    microsocks   the far side wants a user and a password

SOCKS5 has no place for the client's address: D sees its own router, 192.168.1.1.
"""

import contextlib
import socket
import threading

import pytest

from natlab import Greeting, Lab, build_sites, eventually, exchange, microsocks, nginx, page_of, toml
from natlab import v2ray as v2

SOCKS, VLESS = 1080, 4430


class Natctl:
    """natctl-tunnel at both ends; the only one of these with flows in both directions."""

    both_ways = True
    # The tunnel knows the far side's answer before it has to give its own.
    refusals = {"refused", "reset"}

    def configure(self, a, b):
        for site, other in ((a, b), (b, a)):
            site.router.configure(
                toml.site(site)
                + toml.peer(other, f'{{ socks5 = "{other.wan}:{SOCKS}" }}')
                + toml.listener(f"{site.wan}:{SOCKS}", allow=[f"{other.wan}/32"])
            )

    def start(self, a, b):
        return b.router.start_tunnel()


class V2ray:
    """Says that a connection stands before it has dialled, and closes it when the dialling fails."""

    both_ways = False
    refusals = {"refused", "reset", "closed"}

    def configure(self, a, b):
        a.router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "{b.wan}:{SOCKS}" }}'))
        b.router.configure(toml.site(b))

    def start(self, a, b):
        return v2.v2ray(b.router, [v2.socks_inbound(b.wan, SOCKS)], [v2.FREEDOM])


class Xray(V2ray):
    """v2ray at both sites; each routes the other's prefixes to the other."""

    def configure(self, a, b):
        a.router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "127.0.0.1:{SOCKS}" }}'))
        b.router.configure(toml.site(b))
        v2.v2ray(
            a.router,
            [v2.socks_inbound("127.0.0.1", SOCKS)],
            [v2.FREEDOM, v2.vless_outbound("site-b", b.wan, VLESS)],
            [v2.route([b.prefix, b.second_prefix], "site-b")],
        )

    def start(self, a, b):
        return v2.v2ray(b.router, [v2.vless_inbound(b.wan, VLESS)], [v2.FREEDOM])


class Microsocks:
    """User and password."""

    both_ways = False
    refusals = {"refused", "reset"}

    def configure(self, a, b):
        password = a.router.secret("b.password", "open sesame\n")
        link = f'{{ socks5 = "{b.wan}:{SOCKS}", user = "a", password_file = "{password}" }}'
        a.router.configure(toml.site(a) + toml.peer(b, link))
        b.router.configure(toml.site(b))

    def start(self, a, b):
        return microsocks(b.router, b.wan, SOCKS, "a", "open sesame")


FAR_SIDES = {"natctl": Natctl(), "v2ray": V2ray(), "xray": Xray(), "microsocks": Microsocks()}


class Pair:
    """Two sites, their far side running."""

    def __init__(self, lab, far_side):
        self.lab = lab
        self.a, self.b = build_sites(lab)
        self.far_side = far_side
        far_side.configure(self.a, self.b)
        for site in (self.a, self.b):
            site.router.apply()
            nginx(site.host)
        self.tunnel = self.a.router.start_tunnel()
        self.start_far_side()

    def start_far_side(self):
        self.far_program = self.far_side.start(self.a, self.b)

    def directions(self):
        """(client's site, server's site) for each way that flows can take."""
        return [(self.a, self.b)] + ([(self.b, self.a)] if self.far_side.both_ways else [])


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"socks-{name}")) for name in FAR_SIDES],
)
def pair(request):
    with Lab() as lab:
        yield Pair(lab, FAR_SIDES[request.param])


def test_the_far_host_answers_and_sees_its_router(pair):
    for near, far in pair.directions():
        assert near.host.greeting(far.virtual(20)) == Greeting(host=far.host.label, saw="192.168.1.1")


def test_web_page(pair):
    for near, far in pair.directions():
        assert near.host.fetch(f"http://{far.virtual(20)}/").text == page_of(far.host, client="192.168.1.1")


def test_the_second_lan_and_a_single_host(pair):
    for near, far in pair.directions():
        assert near.host.greeting(far.virtual_second(5)) == Greeting(host=f"second-{far.name}", saw="10.10.10.10")
        assert near.second.greeting(far.virtual(20)) == Greeting(host=far.host.label, saw="192.168.1.1")
        assert near.host.greeting(far.virtual(200)).host == f"printer-{far.name}"


def test_the_router_as_client_and_as_target(pair):
    for near, far in pair.directions():
        assert near.router.greeting(far.virtual(20)).host == far.host.label
        assert near.host.greeting(far.virtual(1)).host == f"router-{far.name}"


@pytest.mark.slow
def test_bulk_both_ways_at_once_arrives_unharmed(pair):
    """A thread sanitizer makes the tunnel many times slower: less will do."""
    megabytes = 16 if pair.lab.built_with("thread") else 256
    for near, far in pair.directions():
        exchange(near.host, far.virtual(20), far.host, megabytes)


def test_200_flows_at_once(pair):
    """All are open together before the first one talks."""
    for near, far in pair.directions():
        with contextlib.ExitStack() as all_of_them:
            flows = [all_of_them.enter_context(near.host.dial(far.virtual(20))) for _ in range(200)]
            for number, flow in enumerate(flows):
                assert Greeting.read(flow).host == far.host.label
                flow.sendall(b"flow %03d" % number)
            assert [flow.recv(100) for flow in flows] == [b"flow %03d" % number for number in range(200)]


def test_a_closed_port_turns_the_client_down(pair):
    for near, far in pair.directions():
        assert near.host.refusal(far.virtual(20), port=81) in pair.far_side.refusals


def test_a_host_that_is_not_there_turns_the_client_down(pair):
    for near, far in pair.directions():
        assert near.host.refusal(far.virtual(99), port=80) in pair.far_side.refusals


def test_the_internet_is_reached_as_ever(pair):
    assert pair.a.host.greeting("198.51.100.66") == Greeting(host="stranger", saw="198.51.100.1")


def test_a_killed_far_side_ends_flows_and_new_ones_work_as_soon_as_it_is_back(pair):
    near, far = pair.a, pair.b
    flow = endless_flow(near.host, far.virtual(20), far.host)
    eventually(lambda: flow.received > 1 << 20, what="the flow runs")

    pair.far_program.kill()

    eventually(lambda: flow.ended, what="the flow ends with the far side")
    assert near.host.refusal(far.virtual(20), port=80) in ("refused", "reset", "closed")

    pair.start_far_side()
    assert near.host.fetch(f"http://{far.virtual(20)}/").text == page_of(far.host, client="192.168.1.1")


def test_a_killed_tunnel_ends_flows_and_new_ones_work_as_soon_as_it_is_back(pair):
    near, far = pair.a, pair.b
    flow = endless_flow(near.host, far.virtual(20), far.host)
    eventually(lambda: flow.received > 1 << 20, what="the flow runs")

    pair.tunnel.kill()

    eventually(lambda: flow.ended, what="the flow ends with the tunnel")

    pair.tunnel = near.router.start_tunnel()
    assert near.host.fetch(f"http://{far.virtual(20)}/").text == page_of(far.host, client="192.168.1.1")


def test_nothing_stays_open_when_all_flows_have_ended(pair):
    """The tunnel keeps a few pipes for the next flows; it may not keep more for every flow that ends."""

    def some_flows():
        for near, far in pair.directions():
            for _ in range(20):
                near.host.greeting(far.virtual(20))
            near.host.refusal(far.virtual(20), port=81)
        return eventually(lambda: settled(pair.tunnel), what="the tunnel is idle")

    after_twenty = some_flows()
    some_flows()
    after_sixty = some_flows()
    assert after_sixty < after_twenty + 20, "half a descriptor a flow would be a leak"


def settled(program, seconds=1.5):
    """Number of open descriptors, when it does not change any more."""
    end = threading.Event()
    before = program.open_files()
    end.wait(seconds)  # an observation over time, not a hope that something has happened by then
    return before if program.open_files() == before else None


class endless_flow:
    """A download that ends only when something ends it."""

    def __init__(self, client, address, server):
        self.received = 0
        self.ended = False
        with server.inside():
            self._listener = socket.create_server(("", 0))
        self._near = client.dial(address, self._listener.getsockname()[1])
        self._far, _ = self._listener.accept()
        for job in (self._pour, self._drink):
            threading.Thread(target=job, daemon=True).start()

    def _pour(self):
        with contextlib.suppress(OSError), self._far, self._listener:
            while True:
                self._far.sendall(bytes(1 << 16))

    def _drink(self):
        with contextlib.suppress(OSError), self._near:
            while data := self._near.recv(1 << 16):
                self.received += len(data)
        self.ended = True
