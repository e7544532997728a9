# SPDX-License-Identifier: GPL-3.0-or-later
"""One number in site.toml limits what the tunnel takes on; what is more waits, and is served in its turn.

    C --- [router a: natctl-tunnel, a few flows] === SOCKS5 over the WAN === [router b: natctl-tunnel] --- D
"""

import contextlib
import json
import socket

import pytest

from natlab import Greeting, Lab, eventually
from natlab.far_sides import Natctl, SocksPair

FLOWS = 40


@pytest.fixture(scope="module")
def pair():
    with Lab() as lab:
        made = SocksPair(lab, Natctl())
        made.a.router.toml.write_text(made.a.router.toml.read_text() + f"\n[tunnel]\nflows = {FLOWS}\n")
        made.tunnel.stop()
        made.tunnel = made.a.router.start_tunnel()
        yield made


def status(pair):
    return json.loads(pair.a.router.natctl("status", "--json").stdout)["tunnel"]


def test_the_status_names_all_limits(pair):
    limits = status(pair)["limits"]
    assert FLOWS <= limits["flows"] <= FLOWS + 8
    assert 0 < limits["associations"] <= limits["flows"]
    assert 0 < limits["descriptors"] < 1000
    assert 0 < limits["pipe_bytes"] <= 64 << 20


def greeted(flows):
    """How many of the connections have been greeted."""
    count = 0
    for flow in flows:
        with contextlib.suppress(BlockingIOError):
            flow.setblocking(False)
            count += 1 if flow.recv(1, socket.MSG_PEEK) else 0
    return count


def test_flows_beyond_the_limit_wait_and_are_served(pair):
    limit = status(pair)["limits"]["flows"]
    with contextlib.ExitStack() as all_of_them:
        flows = [all_of_them.enter_context(pair.a.host.dial(pair.b.virtual(20))) for _ in range(3 * FLOWS)]
        # The kernel spreads them among the threads, which share the limit: each takes its part.
        eventually(lambda: greeted(flows) >= limit, what="as many as allowed are served")
        assert greeted(flows) <= limit
        assert pair.tunnel.open_files() <= status(pair)["limits"]["descriptors"]
        served = []
        while flows:
            now = [flow for flow in flows if greeted([flow])]
            for flow in now:
                flow.settimeout(30)
                served.append(Greeting.read(flow).host)
                flow.close()
                flows.remove(flow)
            eventually(lambda: not flows or greeted(flows), what="the next ones are served")
        assert served == [pair.b.host.label] * 3 * FLOWS


def test_udp_beyond_the_limit_does_not_hurt_what_is_there(pair):
    associations = status(pair)["limits"]["associations"]
    with contextlib.ExitStack() as all_of_them:
        sockets = [
            all_of_them.enter_context(pair.a.host.socket(kind=socket.SOCK_DGRAM, timeout=1))
            for _ in range(3 * associations)
        ]

        def answered(asking):
            asking.sendto(b"who are you?", (pair.b.virtual(20), 7007))
            return asking.recv(100)

        first = sockets[: associations // 2]
        for asking in first:
            eventually(lambda asking=asking: answered(asking))
        for asking in sockets[associations // 2 :]:
            asking.sendto(b"who are you?", (pair.b.virtual(20), 7007))
        for asking in first:
            eventually(lambda asking=asking: answered(asking))
        assert pair.tunnel.open_files() <= status(pair)["limits"]["descriptors"]


@pytest.mark.slow
def test_flows_of_datagrams_that_rest_make_room_for_others(pair):
    """Each client asks once and keeps its socket; all of them are answered, though there is no room for all."""
    associations = status(pair)["limits"]["associations"]
    with contextlib.ExitStack() as all_of_them:
        for _ in range(2 * associations):
            asking = all_of_them.enter_context(pair.a.host.socket(kind=socket.SOCK_DGRAM, timeout=1))

            def answered(asking=asking):
                asking.sendto(b"who are you?", (pair.b.virtual(20), 7007))
                return asking.recv(100)

            eventually(answered, what="a new client is answered")
