# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to proxies that are greeted before a flow needs them, and requests that are sent ahead: how many round
trips it takes to open a flow, and that none is lost when the proxy hung up meanwhile.

    C --- [router a: natctl-tunnel] === WAN with a delay === [router b: far side] --- D
"""

import threading
import time

import pytest

from natlab import Delay, Greeting, Lab, eventually
from natlab.far_sides import SOCKS, Dante, Microsocks, Natctl, SocksPair, V2ray

#: Seconds there and back between the routers; much above what this machine needs for anything else.
ROUND_TRIP = 0.5

#: Round trips from the client's SYN to the server's first words, with and without a warm connection. Without: TCP,
#: greeting, password where there is one, and request; those that take everything at once need no more than two.
#: microsocks writes its reply and the server's words one after the other, and without TCP_NODELAY the second waits for
#: the acknowledgement of the first.
FAR_SIDES = {
    "natctl": (Natctl(), 1, 2),
    "v2ray": (V2ray(), 1, 2),
    "dante": (Dante(), 1, 2),
    "microsocks": (Microsocks(), 2, 5),
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"warm-{name}")) for name in FAR_SIDES],
)
def pair(request):
    far_side, warm, cold = FAR_SIDES[request.param]
    with Lab() as lab:
        made = SocksPair(lab, far_side)
        made.warm, made.cold = warm, cold
        with Delay(made.a.router, "wan0", ROUND_TRIP / 2, others=[(made.b.router, "wan0")]):
            yield made


def round_trips(pair):
    """From the client's SYN to the first words of the server, in round trips of the WAN."""
    begin = time.monotonic()
    with pair.a.host.dial(pair.b.virtual(20)) as connection:
        assert Greeting.read(connection).host == pair.b.host.label
        return (time.monotonic() - begin) / ROUND_TRIP


def is_warm(pair):
    return round_trips(pair) < pair.warm + 0.8


def waiting(pair):
    """Connections from router a to the proxy that stand."""
    listed = pair.a.router.run("ss", "-Htn", "state", "established", "dport", f"= :{SOCKS}", quiet=True).stdout
    return len(listed.splitlines())


@pytest.mark.slow
def test_a_flow_after_another_takes_one_round_trip(pair):
    eventually(lambda: is_warm(pair), what="a flow finds a warm connection")

    def warm_after_a_rest():
        # Our own server hangs up on who asks nothing for 10 seconds: by then the tunnel has made another one.
        threading.Event().wait(14)  # an observation over time
        return is_warm(pair)

    # A busy machine may be slow once.
    assert any(warm_after_a_rest() for _ in range(3))


def test_flows_at_once_need_no_more_than_the_proxy_makes_necessary(pair):
    def burst():
        """More than there are warm connections."""
        took = []
        flows = [threading.Thread(target=lambda: took.append(round_trips(pair))) for _ in range(12)]
        for flow in flows:
            flow.start()
        for flow in flows:
            flow.join()
        assert len(took) == len(flows)
        return max(took)

    # Whether the proxy bears to be asked ahead is tried out with the first flow.
    eventually(lambda: burst() < pair.cold + 0.8, what="flows are opened in few round trips")


def test_a_restarted_proxy_costs_no_flow(pair):
    eventually(lambda: pair.a.host.greeting(pair.b.virtual(20)), what="a flow")
    eventually(lambda: waiting(pair) >= 1, what="one waits")
    pair.far_program.kill()
    pair.start_far_side()
    for _ in range(5):
        assert pair.a.host.greeting(pair.b.virtual(20)).host == pair.b.host.label


def test_a_way_that_forgot_the_connection_costs_no_flow(pair):
    """A NAT in between, or our own redialled line: no FIN and no RST, just silence."""
    eventually(lambda: is_warm(pair), what="a flow finds a warm connection")
    eventually(lambda: waiting(pair) >= 1, what="one waits")
    a, b = pair.a, pair.b
    b.router.nft(
        f"""
        table ip forgetful {{
            chain input {{
                type filter hook input priority -300;
                ip saddr {a.wan} tcp dport {SOCKS} ct mark 77 drop
                ip saddr {a.wan} tcp dport {SOCKS} tcp flags & (syn | ack) == syn ct mark set 78
                ip saddr {a.wan} tcp dport {SOCKS} ct mark != 78 drop
            }}
        }}
        """
    )
    try:
        for _ in range(3):
            begin = time.monotonic()
            assert pair.a.host.greeting(b.virtual(20)).host == b.host.label
            assert time.monotonic() - begin < 25
    finally:
        b.router.run("nft", "delete", "table", "ip", "forgetful")
