# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happens, nobody outside sees a packet that is not meant for him.

On the overlay: no packet from or to a real address of a LAN, at any time, also while natctl comes and goes.
On the WAN: no packet for a peer as long as natctl is configured, whatever becomes of the links.
"""

import ipaddress

import pytest

from natlab import Capture, Rain, Socks, Veth, build_sites, configure, eventually, linked_sites

REAL = [ipaddress.ip_network(prefix) for prefix in ("192.168.1.0/24", "10.10.10.0/24")]
VIRTUAL = ipaddress.ip_network("240.0.0.0/4")


def with_address_in(packets, networks):
    return [
        packet
        for packet in packets
        for address in (packet.source, packet.destination)
        if any(address in network for network in networks)
    ]


def test_the_rain_leaks_where_nothing_holds_it(lab):
    """The control: without natctl all of it ends up on the WAN."""
    a, _ = build_sites(lab)
    with Capture(lab.network.switches, "wan") as wan, Rain(a.host, "240.2.2.20"):
        eventually(lambda: {"udp", "tcp", "icmp"} <= {p.proto for p in wan.packets() if p.destination in VIRTUAL})


def test_the_overlay_never_sees_real_addresses(lab):
    """Apply, reapply and down in the middle of traffic in both directions, several times."""
    a, b = sites = linked_sites(lab)
    with Capture(lab.network.switches, "overlay") as overlay:
        with Rain(a.host, "240.2.2.20"), Rain(b.second, "240.1.10.5"):
            for _ in range(3):
                for site in sites:
                    site.router.apply()
                a.host.ping("240.2.2.20")
                for site in sites:
                    site.router.apply(site.router.toml.read_text() + "\n# written anew\n")
                    site.router.down()
    packets = overlay.packets()
    assert len([p for p in packets if p.destination in VIRTUAL]) > 20, "it did rain"
    assert not with_address_in(packets, REAL)


@pytest.mark.parametrize("mishap", ["link down", "link gone", "rules flushed", "routes flushed"])
def test_the_wan_never_sees_traffic_for_a_peer_by_interface(lab, mishap):
    a, b = sites = linked_sites(lab)
    for site in sites:
        site.router.apply()
    a.host.ping("240.2.2.20")
    with Capture(lab.network.switches, "wan") as wan, Rain(a.host, "240.2.2.20") as rain, Rain(a.router, "240.2.2.20"):
        {
            "link down": lambda: a.router.ip("link set ov0 down"),
            "link gone": lambda: a.router.ip("link del ov0"),
            "rules flushed": lambda: a.router.run("nft", "delete", "table", "inet", "natctl"),
            "routes flushed": lambda: a.router.ip("route flush table 7000"),
        }[mishap]()
        seen = rain.sent
        eventually(lambda: rain.sent > seen + 400, what="it rained on the broken link")
    assert not with_address_in(wan.packets(), [VIRTUAL, *REAL])


def test_the_wan_never_sees_traffic_for_a_peer_by_socks(lab):
    """Nor without a tunnel, nor in its absence, nor when the peer moves from one kind of link to the other."""
    a, b = sites = build_sites(lab)
    by_interface, by_socks = Veth(lab, sites), Socks(lab, sites)
    configure(sites, by_socks)
    for site in sites:
        site.router.apply()
    with Capture(lab.network.switches, "wan") as wan, Rain(a.host, "240.2.2.20") as rain, Rain(a.router, "240.2.2.20"):
        eventually(lambda: rain.sent > 400, what="it rained without a tunnel")
        tunnel = a.router.start_tunnel()
        tunnel.kill()
        for link in (by_interface, by_socks, by_interface):
            configure(sites, link)
            a.router.apply()
            seen = rain.sent
            eventually(lambda: rain.sent > seen + 100, what="it rained on the new link")
    assert not with_address_in(wan.packets(), [VIRTUAL, *REAL])


def test_a_refused_configuration_changes_nothing_for_the_traffic(lab):
    """A mistake in the file, then a conflict with somebody else's route: the former state goes on, flows too."""
    a, b = sites = build_sites(lab)
    link = Veth(lab, sites)
    configure(sites, link)
    for site in sites:
        site.router.apply()
    good = a.router.toml.read_text()
    rules, policy = a.router.ruleset("inet natctl"), a.router.policy()
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)

        a.router.configure(good + 'lan = "twice"\n[[peer]]\n')
        assert a.router.natctl("apply", check=False).code == 1
        assert (a.router.ruleset("inet natctl"), a.router.policy()) == (rules, policy)

        a.router.ip("route add 240.3.3.0/24 dev lan0 table 7000")
        occupied = a.router.policy()
        a.router.configure(good + third_site())
        refused = a.router.natctl("apply", check=False)
        assert refused.code == 1 and "240.3.3.0/24" in refused.stderr
        assert (a.router.ruleset("inet natctl"), a.router.policy()) == (rules, occupied)

        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert a.host.greeting("240.2.2.20").host == "D"

    a.router.ip("route del 240.3.3.0/24 dev lan0 table 7000")
    a.router.apply()
    assert a.router.ruleset("inet natctl") != rules, "with the conflict out of the way it applies"


def third_site():
    return '\n[[peer]]\nname = "c"\nvirtual = "240.3.3.0/24"\nlink = { dev = "ov0", via = "172.31.0.3" }\n'
