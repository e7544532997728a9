# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer with two links: natctl-agent moves new flows from one to the other and back, and open ones stay.

    C --- [router a, natctl-agent] === ov0 (preferred) and SOCKS5 over the WAN === [router b] --- D

D sees a caller by his virtual address over ov0, and its own router when he comes by the proxy.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from natlab import Capture, Socks, Veth, always, build_sites, eventually, exchange, netfilter, toml

BY_LINK, BY_PROXY = "240.1.1.20", "192.168.1.1"
HOLD = 2


#: Without a link for so long, open flows are ended.
END = 1


@pytest.fixture
def pair(lab):
    a, b = build_sites(lab)
    veth, socks = Veth(lab, [a, b], ipv6=False), Socks(lab, [a, b])
    for own, other in ((a, b), (b, a)):
        links = f"[{veth.to(other)}, {socks.to(other)}]"
        own.router.configure(toml.site(own) + toml.peer(other, links) + socks.listeners(own, [other]))
        own.router.keep_up("--link-hold", HOLD, "--link-end", END if own is b else 600)
        own.router.start_tunnel()
    return a, b


def saw(a):
    return a.host.greeting("240.2.2.20").saw


def cable(lab, state, number=0):
    """Pulls the cable of a's ov0 ("down") at the switch, and plugs it in again ("up"): ov0 loses its carrier. The
    second one is b's."""
    switches = lab.network.switches
    ports = switches.run("ip", "-o", "link", "show", "master", "overlay").stdout.splitlines()
    switches.ip(f"link set {ports[number].split()[1].split('@')[0]} {state}")


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


def links_of(a):
    """As the agent knows them: preferred first."""
    return json.loads(a.router.natctl("status", "--json").stdout)["agent"]["links"]


def answers(seen, address):
    return any(packet.proto == "icmp" and str(packet.source) == address for packet in seen.packets())


def test_a_link_that_carries_nothing_is_left_although_its_interface_is_up(lab, pair):
    a, b = pair
    assert saw(a) == BY_LINK
    gateway = f"172.31.0.{b.number}"
    with Capture(a.router, "ov0") as seen:
        eventually(lambda: answers(seen, gateway), what="a probe is answered")
    cable(lab, "down", number=1)
    moved(a, to_proxy=True)
    assert saw(a) == BY_PROXY
    assert "state UP" in a.router.run("ip", "link", "show", "ov0").stdout
    link, proxy = links_of(a)
    assert link["standing"] == "down" and link["cause"] == f"{gateway} does not answer through it"
    assert proxy["standing"] == "used" and proxy["cause"] is None
    assert f"{gateway} does not answer through it" in a.router.natctl("status").stdout
    # natctl goes by what the agent knows.
    assert not a.router.changes_pending()
    a.router.natctl("apply")
    assert saw(a) == BY_PROXY
    cable(lab, "up", number=1)
    moved(a, to_proxy=False)
    assert saw(a) == BY_LINK
    assert links_of(a)[0]["standing"] == "used"


def test_a_new_agent_does_not_believe_a_link_that_the_former_found_dead(lab, pair):
    a, b = pair
    with Capture(a.router, "ov0") as seen:
        eventually(lambda: answers(seen, f"172.31.0.{b.number}"), what="a probe is answered")
    cable(lab, "down", number=1)
    moved(a, to_proxy=True)
    for end in ("SIGKILL", "SIGTERM"):
        a.router.agent.stop(end)
        a.router.keep_up("--link-hold", HOLD)
        always(lambda: netfilter.elements(a.router, "tun4"), 1, "it stays away from the dead link")
        assert saw(a) == BY_PROXY
        link = links_of(a)[0]
        assert link["standing"] == "down" and link["cause"].endswith("does not answer through it")
        assert link["seconds"] is not None
        assert "link  to b by dev ov0 via 172.31.0.2: down, has failed for " in a.router.natctl("status").stdout
    cable(lab, "up", number=1)
    moved(a, to_proxy=False)
    assert saw(a) == BY_LINK


@pytest.mark.parametrize("other_way", [True, False])
def test_a_link_that_the_kernel_takes_no_route_by_holds_up_nothing_else(lab, other_way):
    a, b = build_sites(lab)
    veth, socks = Veth(lab, [a, b]), Socks(lab, [a, b])
    for own, other in ((a, b), (b, a)):
        links = f"[{veth.to(other)}, {socks.to(other)}]" if other_way else veth.to(other)
        own.router.configure(toml.site(own, ipv6=True) + toml.peer(other, links, True) + socks.listeners(own, [other]))
        own.router.keep_up("--link-hold", HOLD)
        own.router.start_tunnel()
    assert saw(a) == BY_LINK
    a.router.run("sysctl", "-qw", "net.ipv6.conf.ov0.disable_ipv6=1")

    def refused():
        return next((link for link in links_of(a) if link["place"] == 0 and link["cause"]), None)

    link = eventually(refused, what="its link is at fault")
    assert "IPv6 is off there: sysctl -w net.ipv6.conf.ov0.disable_ipv6=0" in link["cause"]
    assert link["standing"] == ("down" if other_way else "used")
    # Where there is no other way, IPv4 goes on. Now and then the link is tried.
    eventually(lambda: saw(a) == (BY_PROXY if other_way else BY_LINK), what="flows have a way")
    # All else is kept up.
    a.router.run("nft", "delete", "table", "inet", "natctl")
    eventually(lambda: "natctl" in a.router.ruleset(), what="the table is put back")
    assert json.loads(a.router.natctl("status", "--json").stdout)["agent"]["failure"] is None
    a.router.run("sysctl", "-qw", "net.ipv6.conf.ov0.disable_ipv6=0")
    a.router.ip("address add fd00:ff::1/64 dev ov0 nodad")
    eventually(lambda: saw(a) == BY_LINK, what="it is used again")
    assert links_of(a)[0]["standing"] == "used"


def test_an_open_flow_follows_its_peer_from_one_interface_link_to_another(lab):
    """Both lead to the same router, so nothing about it changes."""
    a, b = build_sites(lab)
    veth = Veth(lab, [a, b], ipv6=False)
    lab.network.segment("backup")
    for own in (a, b):
        lab.network.plug(own.router, "ov1", "backup", f"172.30.0.{own.number}/24")
    for own, other in ((a, b), (b, a)):
        links = f'[{veth.to(other)}, {{ dev = "ov1", via = "172.30.0.{other.number}" }}]'
        own.router.configure(toml.site(own) + toml.peer(other, links))
        own.router.keep_up("--link-hold", HOLD)
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        for number, way in enumerate(("down", "up"), 1):
            cable(lab, way, number=0)
            cable(lab, way, number=1)
            words = f"dev ov{number % 2} "
            eventually(lambda words=words: words in routes_to_b(a), what=f"the route is {words}")
            assert saw(a) == BY_LINK
            with Capture(b.router, f"ov{number % 2}") as seen:
                flow.sendall(b"still there?")
                assert flow.recv(100) == b"still there?"
                eventually(lambda seen=seen: by_tcp(seen), what=f"it goes by ov{number % 2}")


def routes_to_b(a):
    return a.router.run("ip", "route", "show", "table", "7000", "240.2.2.0/24").stdout


def by_tcp(seen):
    return any(packet.proto == "tcp" for packet in seen.packets())


def test_open_flows_wait_for_a_link_and_are_reset_when_it_stays_away(lab, pair):
    a, b = pair
    with a.host.dial("240.2.2.20") as waits, b.host.dial("240.1.1.20") as ends:
        for flow in (waits, ends):
            flow.recv(100)
        cable(lab, "down", number=1)
        moved(b, to_proxy=True)
        eventually(lambda: "open flows are ended" in b.router.agent.stderr, what="b ends them after a second")
        with pytest.raises(ConnectionResetError):
            ends.sendall(b"anybody there?")
            ends.settimeout(20)
            ends.recv(100)
        # a has more patience.
        assert "open flows are ended" not in a.router.agent.stderr


def carried(router):
    """Bytes that ov0 has sent."""
    (link,) = json.loads(router.run("ip", "-s", "-j", "link", "show", "ov0").stdout)
    return link["stats64"]["tx"]["bytes"]


def test_transfers_outlive_a_gap_in_their_link_and_new_ones_take_the_other(lab, pair):
    a, b = pair
    with ThreadPoolExecutor(1) as pool:
        before = carried(a.router)
        first = pool.submit(exchange, a.host, "240.2.2.20", b.host, 300)
        eventually(lambda: carried(a.router) > before + 10_000_000, what="the transfer is on its way")
        cable(lab, "down")
        moved(a, to_proxy=True)
        assert exchange(a.host, "240.2.2.20", b.host, 10).client == BY_PROXY
        assert not first.done()
        cable(lab, "up")
        assert first.result().client == BY_LINK
    moved(a, to_proxy=False)
    assert exchange(a.host, "240.2.2.20", b.host, 10).client == BY_LINK


def test_a_proxy_that_the_tunnel_finds_dead_gives_way_to_a_link_and_comes_back(lab):
    a, b = build_sites(lab)
    veth, socks = Veth(lab, [a, b], ipv6=False), Socks(lab, [a, b])
    for own, other in ((a, b), (b, a)):
        links = f"[{socks.to(other)}, {veth.to(other)}]"
        own.router.configure(toml.site(own) + toml.peer(other, links) + socks.listeners(own, [other]))
        own.router.keep_up("--link-hold", HOLD)
        own.router.start_tunnel()
    assert saw(a) == BY_PROXY
    b.router.tunnel.kill()
    # A flow finds it out.
    eventually(lambda: saw(a) == BY_LINK, what="flows take ov0")
    proxy, link = links_of(a)
    assert proxy["standing"] == "down" and proxy["cause"].startswith("natctl-tunnel says: ")
    assert link["standing"] == "used"
    b.router.start_tunnel()
    # Once it answers again. By the set: one flow may have the ports of a former one, and go where that one went.
    moved(a, to_proxy=True)
    eventually(lambda: saw(a) == BY_PROXY, what="flows take the proxy again")
    # No tunnel at all.
    a.router.tunnel.kill()
    moved(a, to_proxy=False)
    eventually(lambda: saw(a) == BY_LINK, what="flows take ov0")
    assert links_of(a)[0]["cause"] == "natctl-tunnel does not answer"
