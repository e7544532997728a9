# SPDX-License-Identifier: GPL-3.0-or-later
"""Links between sites: what lies between the routers, and how site.toml names it."""

from . import toml
from .site import build_sites
from .wireguard import WireGuard


class Veth:
    """A plain Ethernet between the routers: an overlay in its simplest form."""

    def __init__(self, lab, sites, ipv6=True):
        self.ipv6 = ipv6
        lab.network.segment("overlay")
        for site in sites:
            lab.network.plug(
                site.router, "ov0", "overlay", f"172.31.0.{site.number}/24", f"fd00:ff::{site.number}/64"
            )

    def to(self, site):
        """The value of `link` in another site's configuration."""
        if not self.ipv6:
            return f'{{ dev = "ov0", via = "172.31.0.{site.number}" }}'
        return f'{{ dev = "ov0", via = ["172.31.0.{site.number}", "fd00:ff::{site.number}"] }}'

    def listeners(self, site, others):
        return ""


class WireGuardMesh:
    """wireguard-go over the WAN, every site with every other."""

    ipv6 = True

    def __init__(self, lab, sites):
        self.ends = {site.name: WireGuard(site.router, site.number) for site in sites}
        for site in sites:
            for other in sites:
                if other is not site:
                    prefixes = [other.prefix, other.second_prefix, other.prefix6]
                    self.ends[site.name].add_peer(self.ends[other.name], other.wan, prefixes)

    def to(self, site):
        return '{ dev = "wg0" }'

    def listeners(self, site, others):
        return ""


class Socks:
    """natctl-tunnel at both ends, SOCKS5 over the WAN between them."""

    ipv6 = False
    port = 1080

    def __init__(self, lab, sites):
        pass

    def to(self, site):
        return f'{{ socks5 = "{site.wan}:{self.port}" }}'

    def listeners(self, site, others):
        return toml.listener(f"{site.wan}:{self.port}", allow=[f"{other.wan}/32" for other in others])


def configure(sites, link):
    """Writes site.toml of each: its own maps, and each of the others as a peer over the link."""
    for site in sites:
        others = [other for other in sites if other is not site]
        text = toml.site(site, link.ipv6)
        text += "".join(toml.peer(other, link.to(other), link.ipv6) for other in others)
        text += link.listeners(site, others)
        site.router.configure(text)


def linked_sites(lab, link=Veth):
    """Sites a and b, each the other's peer over a link of that kind. Nothing is applied yet."""
    sites = build_sites(lab)
    configure(sites, link(lab, sites))
    return sites
