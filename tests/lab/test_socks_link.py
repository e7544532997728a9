# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites with equal addresses over links that carry flows: SOCKS5, with the far sides of natlab/far_sides.py.

    C --- [router a: kernel -> natctl-tunnel] --- SOCKS5 over the WAN --- [router b: far side -> kernel] --- D
"""

import contextlib
import socket
import threading

import pytest

from natlab import Greeting, Lab, eventually, exchange, nginx, page_of
from natlab.far_sides import Microsocks, Natctl, SocksPair, V2ray, Xray

FAR_SIDES = {"natctl": Natctl(), "v2ray": V2ray(), "xray": Xray(), "microsocks": Microsocks()}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"socks-{name}")) for name in FAR_SIDES],
)
def pair(request):
    with Lab() as lab:
        made = SocksPair(lab, FAR_SIDES[request.param])
        for site in (made.a, made.b):
            nginx(site.host)
        yield made


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
