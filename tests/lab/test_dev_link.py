# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites with equal addresses over a link that carries packets: an interface.

    C 192.168.1.20 --- [router a] === overlay === [router b] --- 192.168.1.20 D
    10.10.10.5, .7 ---/  240.1.1.0/24            240.2.2.0/24  \\--- 10.10.10.5, .7
                         240.1.10.0/24           240.2.10.0/24
"""

import os

import pytest

from natlab import Greeting, Lab, Veth, WireGuardMesh, exchange, linked_sites, nginx, page_of

LINKS = {"veth": Veth, "wireguard": WireGuardMesh}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"dev-{name}")) for name in LINKS],
)
def sites(request):
    if request.param == "wireguard" and not os.path.exists("/dev/net/tun"):
        pytest.skip("wireguard-go needs /dev/net/tun")
    with Lab() as lab:
        a, b = linked_sites(lab, LINKS[request.param])
        for site in (a, b):
            site.router.apply()
            nginx(site.host)
        yield a, b


def test_ping_both_ways(sites):
    a, b = sites
    a.host.ping("240.2.2.20")
    b.host.ping("240.1.1.20")


def test_the_far_host_answers_and_sees_the_virtual_address(sites):
    a, b = sites
    assert a.host.greeting("240.2.2.20") == Greeting(host="D", saw="240.1.1.20")
    assert b.host.greeting("240.1.1.20") == Greeting(host="C", saw="240.2.2.20")


def test_udp_both_ways(sites):
    a, b = sites
    assert a.host.udp_greeting("240.2.2.20") == Greeting(host="D", saw="240.1.1.20")
    assert b.host.udp_greeting("240.1.1.20") == Greeting(host="C", saw="240.2.2.20")


def test_web_pages_both_ways(sites):
    a, b = sites
    assert a.host.fetch("http://240.2.2.20/").text == page_of("D", client="240.1.1.20")
    assert b.host.fetch("http://240.1.1.20/").text == page_of("C", client="240.2.2.20")


def test_the_second_lan_both_ways(sites):
    a, b = sites
    assert a.host.greeting("240.2.10.5") == Greeting(host="second-b", saw="240.1.1.20")
    assert a.second.greeting("240.2.2.20") == Greeting(host="D", saw="240.1.10.5")
    assert b.second.greeting("240.1.10.5") == Greeting(host="second-a", saw="240.2.10.5")
    assert b.second.udp_greeting("240.1.10.5") == Greeting(host="second-a", saw="240.2.10.5")
    a.second.ping("240.2.10.5")


def test_a_single_host_overrides_the_prefix_that_covers_it(sites):
    a, b = sites
    assert a.host.greeting("240.2.2.200") == Greeting(host="printer-b", saw="240.1.1.20")
    assert b.host.udp_greeting("240.1.1.200") == Greeting(host="printer-a", saw="240.2.2.20")
    assert a.host.greeting("240.2.10.7").host == "printer-b", "its place in the prefix names it as well"


def test_a_host_with_two_names_shows_the_one_of_its_own(sites):
    a, b = sites
    assert a.printer.greeting("240.2.2.20") == Greeting(host="D", saw="240.1.1.200")
    assert b.printer.udp_greeting("240.1.1.20") == Greeting(host="C", saw="240.2.2.200")


def test_the_router_as_client(sites):
    a, b = sites
    assert a.router.greeting("240.2.2.20") == Greeting(host="D", saw="240.1.1.1")
    assert b.router.udp_greeting("240.1.1.20") == Greeting(host="C", saw="240.2.2.1")
    a.router.ping("240.2.2.20")


def test_the_router_as_target(sites):
    a, b = sites
    assert a.host.greeting("240.2.2.1") == Greeting(host="router-b", saw="240.1.1.20")
    assert b.host.udp_greeting("240.1.1.1") == Greeting(host="router-a", saw="240.2.2.20")
    assert a.router.greeting("240.2.2.1") == Greeting(host="router-b", saw="240.1.1.1")
    assert a.host.greeting("240.2.10.10").host == "router-b", "by its address on the second LAN"
    a.host.ping("240.2.2.1")


def test_hosts_find_their_own_site_under_its_virtual_names(sites):
    a, _ = sites
    assert a.host.greeting("240.1.10.5").host == "second-a"
    assert a.second.greeting("240.1.1.20").host == "C"


def test_ipv6_both_ways(sites):
    a, b = sites
    assert a.host.greeting("fd01:2::20") == Greeting(host="D", saw="fd01:1::20")
    assert b.host.udp_greeting("fd01:1::20") == Greeting(host="C", saw="fd01:2::20")
    assert a.router.greeting("fd01:2::20") == Greeting(host="D", saw="fd01:1::1")
    assert a.host.greeting("fd01:2::1") == Greeting(host="router-b", saw="fd01:1::20")
    a.host.ping("fd01:2::20")


def test_a_closed_port_refuses_at_once(sites):
    a, b = sites
    assert a.host.refusal("240.2.2.20", port=81) == "refused"
    assert b.host.refusal("240.1.1.1", port=81) == "refused"


def test_bulk_both_ways_arrives_unharmed(sites):
    a, b = sites
    assert exchange(a.host, "240.2.2.20", b.host, megabytes=32).client == "240.1.1.20"


def test_large_packets_find_their_way(sites):
    """Path MTU: a WireGuard link is smaller than Ethernet, and a ping of 1472 bytes has to be cut."""
    a, _ = sites
    a.host.ping("240.2.2.20", size=1472)


def test_the_internet_is_reached_as_ever(sites):
    a, _ = sites
    assert a.host.greeting("198.51.100.66") == Greeting(host="stranger", saw="198.51.100.1")


def test_real_addresses_are_not_to_be_had_from_the_link(sites):
    """192.168.1.20 is C itself at a, and no name of anybody at b."""
    a, _ = sites
    assert a.host.greeting("192.168.1.20").host == "C"
