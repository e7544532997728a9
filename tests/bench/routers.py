# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites, an Ethernet between their routers, and what the routers do with a packet from host C to host D: only
forward it, or translate it, by rules of one's own or by natctl's."""

import re
from dataclasses import dataclass

from flood import FIRST_PORT
from natlab import Veth, linked_sites
from natlab.site import Site


@dataclass
class Path:
    """From host C to host D."""

    sites: list[Site]
    #: C's address, and what C calls D.
    source: str
    target: str
    #: D's address, and what D calls C.
    host: str
    seen: str

    def __post_init__(self):
        # D counts what comes from whom it ought to, and drops it: no program has to read, and nobody answers.
        self.sites[1].host.nft(
            f"""
            table ip sink {{
                chain input {{
                    type filter hook input priority 0;
                    ip saddr {self.seen} ip daddr {self.host} udp dport >= {FIRST_PORT} counter drop;
                }}
            }}
            """
        )

    def arrived(self):
        listed = self.sites[1].host.run("nft", "list", "table", "ip", "sink", quiet=True).stdout
        return int(re.search(r"packets (\d+)", listed)[1])

    def forget_connections(self):
        for site in self.sites:
            site.router.run("conntrack", "-F", quiet=True)

    def connections(self):
        """How many each router knows."""
        return [int(site.router.run("conntrack", "-C", quiet=True).stdout) for site in self.sites]


class Plain:
    """Nothing but routes: the hosts have addresses that differ."""

    name = "plain forwarding"
    tracks = False

    def build(self, lab):
        sites = linked_sites(lab, _veth)
        for number, site in enumerate(sites, 1):
            other = 3 - number
            site.router.ip(
                f"address add 10.10{number}.0.1/24 dev lan0",
                f"route add 10.10{other}.0.0/24 via 172.31.0.{other}",
            )
            site.host.ip(f"address add 10.10{number}.0.20/24 dev eth0")
            self.set_rules(site.router)
        return Path(sites, "10.101.0.20", "10.102.0.20", "10.102.0.20", "10.101.0.20")

    def set_rules(self, router):
        router.run("nft", "flush", "ruleset", quiet=True)


class Masquerading(Plain):
    """The same on routers that keep track of connections anyway, because they masquerade on the WAN."""

    name = "with masquerading"
    tracks = True

    def set_rules(self, router):
        """Those that every router of the lab has."""


class ByHand:
    """Equal real addresses, and four rules that translate the prefixes. Nothing is checked, nothing guarded."""

    name = "nft by hand"
    tracks = True

    def build(self, lab):
        sites = linked_sites(lab, _veth)
        for number, site in enumerate(sites, 1):
            other = 3 - number
            site.router.ip(f"route add 240.{other}.{other}.0/24 via 172.31.0.{other}")
            site.router.nft(
                f"""
                table ip by_hand {{
                    chain prerouting {{
                        type nat hook prerouting priority dstnat;
                        iifname "ov0" dnat ip prefix to ip daddr map {{ {site.prefix} : 192.168.1.0/24 }}
                    }}
                    chain postrouting {{
                        type nat hook postrouting priority srcnat;
                        oifname "ov0" snat ip prefix to ip saddr map {{ 192.168.1.0/24 : {site.prefix} }}
                    }}
                }}
                """
            )
        return _translated(sites)


class Natctl:
    """So many peers in site.toml, of which the other site is one, all over the same interface."""

    tracks = True

    def __init__(self, peers):
        self.peers = peers
        self.name = f"natctl, {peers} peer" + ("s" if peers > 1 else "")

    def build(self, lab):
        sites = linked_sites(lab, _veth)
        for site in sites:
            # Up to 16,384 of them, no two side by side: natctl would join those.
            more = "".join(
                f'\n[[peer]]\nname = "peer{n}"\nvirtual = ["241.{n >> 7}.{2 * n & 255}.0/24"]\n'
                f'link = {{ dev = "ov0", via = "172.31.0.{3 - site.number}" }}\n'
                for n in range(self.peers - 1)
            )
            site.router.apply(site.router.toml.read_text() + more)
        return _translated(sites)


def _veth(lab, sites):
    return Veth(lab, sites, ipv6=False)


def _translated(sites):
    a, b = sites
    return Path(sites, "192.168.1.20", b.virtual(20), "192.168.1.20", a.virtual(20))
