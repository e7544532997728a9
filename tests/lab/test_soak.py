# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP and UDP of all kinds at once through both tunnels, for a while: ./dev soak does so under the thread sanitizer.

    C --- [router a: natctl-tunnel] === SOCKS5 over the WAN === [router b: natctl-tunnel] --- D
"""

import contextlib
import os
import socket
import threading
import time

import pytest

from natlab import Greeting, Lab, exchange
from natlab.far_sides import Natctl, SocksPair

SECONDS = float(os.environ.get("NATCTL_SOAK_SECONDS", "30"))


class Work(threading.Thread):
    """Does one thing again and again until the end; keeps what went wrong."""

    def __init__(self, step, end):
        super().__init__(daemon=True)
        self._step, self._end = step, end
        self.done = 0
        self.failure = None

    def run(self):
        try:
            while time.monotonic() < self._end:
                self._step()
                self.done += 1
        except Exception as error:
            self.failure = error


@pytest.mark.slow
def test_everything_at_once_for_a_while():
    with Lab() as lab:
        pair = SocksPair(lab, Natctl(ipv6=True))
        a, b = pair.a, pair.b
        end = time.monotonic() + SECONDS
        udp = Counter()
        work = {
            "short flows": Work(lambda: one_greeting(a, b), end),
            "short flows back": Work(lambda: one_greeting(b, a), end),
            "bulk": Work(lambda: exchange(a.host, b.virtual(20), b.host, 2), end),
            "flows that are reset": Work(lambda: one_reset(a, b), end),
            "refused flows": Work(lambda: one_refusal(a, b), end),
            "UDP": Work(lambda: one_volley(a, b, udp), end),
            "UDP over IPv6": Work(lambda: a.host.udp_greeting(b.virtual6(20)), end),
            "status": Work(lambda: both(pair, lambda router: router.natctl("status", "--json")), end),
            "reload": Work(lambda: both(pair, lambda router: reload(router)), end),
        }
        for one in work.values():
            one.start()
        for one in work.values():
            one.join(SECONDS + 120)
        assert {name: one.failure for name, one in work.items() if one.failure} == {}
        assert all(one.done > 0 for one in work.values()), {name: one.done for name, one in work.items()}
        # UDP may lose, not change; most of it comes back.
        assert udp.back > udp.there / 2
        assert pair.tunnel.running and pair.far_program.running
        assert pair.tunnel.stop() == 0 and pair.far_program.stop() == 0


class Counter:
    there = back = 0


def one_greeting(near, far):
    assert near.host.greeting(far.virtual(20)).host == far.host.label


def one_reset(near, far):
    with near.host.dial(far.virtual(20)) as connection:
        assert Greeting.read(connection).host == far.host.label
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def one_refusal(near, far):
    assert near.host.refusal(far.virtual(20), port=81) in ("refused", "reset")


def one_volley(near, far, counter):
    with near.host.socket(kind=socket.SOCK_DGRAM, timeout=0.2) as asking:
        for _ in range(20):
            for target in (far.virtual(20), far.virtual_second(5), far.virtual(1)):
                asking.sendto(b"who are you?", (target, 7007))
                counter.there += 1
            with contextlib.suppress(TimeoutError):
                for _ in range(3):
                    assert b" " in asking.recv(100)
                    counter.back += 1


def both(pair, act):
    for site in (pair.a, pair.b):
        act(site.router)


def reload(router):
    router.tunnel.send("SIGHUP")
    threading.Event().wait(0.5)  # one after the other
