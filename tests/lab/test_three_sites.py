# SPDX-License-Identifier: GPL-3.0-or-later
"""A third site: one file of its own, and one [[peer]] at each of the others.

    C --- [router a] ---+
                        |
    D --- [router b] ---+--- the same overlay, or SOCKS5 over the WAN
                        |
    E --- [router c] ---+       all three LANs are 192.168.1.0/24 and 10.10.10.0/24
"""

import itertools

import pytest

from natlab import Socks, Veth, build_sites, configure, eventually, toml


def peers_of(text):
    """A configuration, cut into what it says of the site itself and one piece for each peer."""
    own, *peers = text.split("\n[[peer]]")
    return own, peers


def all_pairs_talk(sites):
    for near, far in itertools.permutations(sites, 2):
        assert near.host.greeting(far.virtual(20)).host == far.host.label
        assert near.second.greeting(far.virtual_second(5)).host == f"second-{far.name}"


def test_a_third_site_by_interface(lab):
    a, b, c = sites = build_sites(lab, "abc")
    link = Veth(lab, sites)
    configure([a, b], link)
    before = {site.name: site.router.toml.read_text() for site in (a, b)}
    for site in (a, b):
        site.router.apply()
    all_pairs_talk([a, b])

    for site in (a, b):
        site.router.apply(before[site.name] + toml.peer(c, link.to(c), ipv6=True))
    c.router.apply(
        toml.site(c, ipv6=True) + toml.peer(a, link.to(a), ipv6=True) + toml.peer(b, link.to(b), ipv6=True)
    )

    all_pairs_talk(sites)
    for site in (a, b):
        own, peers = peers_of(site.router.toml.read_text())
        own_before, peers_before = peers_of(before[site.name])
        assert own == own_before and peers[:-1] == peers_before, "what was written stays as it was"
        assert len(peers) == len(peers_before) + 1 and 'name    = "c"' in peers[-1]
    assert a.host.greeting("240.3.3.20").saw == "240.1.1.20"
    assert c.host.udp_greeting("240.2.2.20").saw == "240.3.3.20"


def test_a_third_site_by_socks(lab):
    """The tunnels reload with SIGHUP; open flows between the first two go on."""
    a, b, c = sites = build_sites(lab, "abc")
    link = Socks(lab, sites)
    # Listeners that let in the whole provider's network need no change for the newcomer.
    everybody = lambda site: toml.listener(f"{site.wan}:1080", allow=["198.51.100.0/24"])
    texts = {site.name: toml.site(site) + everybody(site) for site in sites}
    for site, other in ((a, b), (b, a)):
        texts[site.name] += toml.peer(other, link.to(other))
        site.router.apply(texts[site.name])
    tunnels = [site.router.start_tunnel() for site in (a, b)]
    all_pairs_talk([a, b])
    with a.host.dial(b.virtual(20)) as open_flow:
        open_flow.recv(100)

        for site, tunnel in zip((a, b), tunnels):
            site.router.apply(texts[site.name] + toml.peer(c, link.to(c)))
            tunnel.send("SIGHUP")
        c.router.apply(texts["c"] + toml.peer(a, link.to(a)) + toml.peer(b, link.to(b)))
        c.router.start_tunnel()
        eventually(lambda: a.host.greeting(c.virtual(20)), what="the tunnel of a has reloaded")
        eventually(lambda: b.host.greeting(c.virtual(20)), what="the tunnel of b has reloaded")

        all_pairs_talk(sites)
        open_flow.sendall(b"still there?")
        assert open_flow.recv(100) == b"still there?"
