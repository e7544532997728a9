# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer with two links: natctl-agent moves new flows from one to the other and back, and open ones stay.

    C --- [router a, natctl-agent] === ov0 (preferred) and SOCKS5 over the WAN === [router b] --- D

D sees a caller by his virtual address over ov0, and its own router when he comes by the proxy.
"""

import pytest

from natlab import Socks, Veth, build_sites, eventually, netfilter, toml

BY_LINK, BY_PROXY = "240.1.1.20", "192.168.1.1"
HOLD = 2


@pytest.fixture
def pair(lab):
    a, b = build_sites(lab)
    veth, socks = Veth(lab, [a, b], ipv6=False), Socks(lab, [a, b])
    for own, other in ((a, b), (b, a)):
        links = f"[{veth.to(other)}, {socks.to(other)}]"
        own.router.configure(toml.site(own) + toml.peer(other, links) + socks.listeners(own, [other]))
        own.router.agent = own.router.start_agent("--link-hold", HOLD)
        own.router.agent.wait_until(lambda own=own: not own.router.changes_pending(), "it has applied site.toml")
        own.router.start_tunnel()
    return a, b


def saw(a):
    return a.host.greeting("240.2.2.20").saw


def cable(lab, state):
    """Pulls the cable of a's ov0 ("down") at the switch, and plugs it in again ("up"): ov0 loses its carrier."""
    switches = lab.network.switches
    ports = switches.run("ip", "-o", "link", "show", "master", "overlay").stdout.splitlines()
    switches.ip(f"link set {ports[0].split()[1].split('@')[0]} {state}")


def moved(a, to_proxy):
    """Until new flows are handed to the tunnel, or no longer. One that begins a moment too early is bound to the dead
    link and waits for it."""
    eventually(lambda: bool(netfilter.elements(a.router, "tun4")) == to_proxy, what=f"moved to the proxy: {to_proxy}")


def test_new_flows_take_the_other_link_and_come_back_after_a_while(lab, pair):
    a, _ = pair
    assert saw(a) == BY_LINK
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        cable(lab, "down")
        moved(a, to_proxy=True)
        assert saw(a) == BY_PROXY
        cable(lab, "up")
        moved(a, to_proxy=False)
        assert saw(a) == BY_LINK
        eventually(lambda: "ov0 is up, and used again" in a.router.agent.stderr, what="the log says so")
        assert "ov0 is up again, and used when it stays so for 2 s" in a.router.agent.stderr
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert not a.router.changes_pending()


def test_a_link_that_flaps_is_left_alone(lab, pair):
    a, _ = pair
    for _ in range(5):
        cable(lab, "down")
        moved(a, to_proxy=True)
        cable(lab, "up")
        assert saw(a) == BY_PROXY, "it stays there"
    assert "used again" not in a.router.agent.stderr
    moved(a, to_proxy=False)
    assert saw(a) == BY_LINK
