# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand at the far end of a SOCKS5 link, and two sites that are joined by it.

    natctl       natctl-tunnel, in both directions
    v2ray        v2ray's socks inbound with freedom
    xray         the chain that a user of Xray runs:
                 natctl-tunnel a -> socks on loopback, v2ray a -> VLESS over the WAN -> v2ray b, freedom -> kernel b
    microsocks   wants a user and a password; TCP only
    dante        takes everybody

SOCKS5 has no place for the client's address: D sees its own router, 192.168.1.1.
"""

from . import toml, v2ray
from .links import Socks, configure
from .servers import dante, microsocks
from .site import build_sites

SOCKS, VLESS = Socks.port, 4430


class Natctl:
    """natctl-tunnel at both ends; the only one of these with flows in both directions."""

    both_ways = True
    #: What a client sees when the target turns it down: the tunnel knows the far side's answer before it has to give
    #: its own.
    refusals = {"refused", "reset"}
    #: Whether one address serves a client for all targets.
    full_cone = True
    #: Bytes of a datagram: SOCKS5 adds ten to each, and UDP carries 65,507.
    largest = 65497

    def __init__(self, ipv6=False):
        self._ipv6 = ipv6

    def configure(self, a, b):
        link = Socks(a.router.lab, [a, b])
        # Both families go through one proxy.
        link.ipv6 = self._ipv6
        configure([a, b], link)

    def start(self, a, b):
        return b.router.start_tunnel()


class V2ray:
    """Says that a connection stands before it has dialled, and closes it when the dialling fails. It has a socket of
    its own for each target."""

    both_ways = False
    refusals = {"refused", "reset", "closed"}
    full_cone = False
    #: It reads 2048 bytes, and cuts what is longer.
    largest = 2038

    def configure(self, a, b):
        a.router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "{b.wan}:{SOCKS}" }}'))
        b.router.configure(toml.site(b))

    def start(self, a, b):
        return v2ray.v2ray(b.router, [v2ray.socks_inbound(b.wan, SOCKS)], [v2ray.FREEDOM])


class Xray(V2ray):
    """v2ray at both sites; that of a routes b's prefixes to b."""

    def configure(self, a, b):
        a.router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "127.0.0.1:{SOCKS}" }}'))
        b.router.configure(toml.site(b))
        v2ray.v2ray(
            a.router,
            [v2ray.socks_inbound("127.0.0.1", SOCKS)],
            [v2ray.FREEDOM, v2ray.vless_outbound("site-b", b.wan, VLESS)],
            [v2ray.route([b.prefix, b.second_prefix], "site-b")],
        )

    def start(self, a, b):
        return v2ray.v2ray(b.router, [v2ray.vless_inbound(b.wan, VLESS)], [v2ray.FREEDOM])


class Microsocks:
    both_ways = False
    refusals = {"refused", "reset"}

    def configure(self, a, b):
        password = a.router.secret("b.password", "open sesame\n")
        link = f'{{ socks5 = "{b.wan}:{SOCKS}", user = "a", password_file = "{password}" }}'
        a.router.configure(toml.site(a) + toml.peer(b, link))
        b.router.configure(toml.site(b))

    def start(self, a, b):
        return microsocks(b.router, b.wan, SOCKS, "a", "open sesame")


class Dante:
    both_ways = False
    refusals = {"refused", "reset"}

    def configure(self, a, b):
        a.router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "{b.wan}:{SOCKS}" }}'))
        b.router.configure(toml.site(b))

    def start(self, a, b):
        return dante(b.router, b.wan, SOCKS)


class SocksPair:
    """Two sites, applied, with a's tunnel and the far side running."""

    def __init__(self, lab, far_side):
        self.lab = lab
        self.a, self.b = build_sites(lab)
        self.far_side = far_side
        far_side.configure(self.a, self.b)
        for site in (self.a, self.b):
            site.router.apply()
        self.tunnel = self.a.router.start_tunnel()
        self.start_far_side()

    def start_far_side(self):
        self.far_program = self.far_side.start(self.a, self.b)

    def directions(self):
        """(client's site, server's site) for each way that flows can take."""
        return [(self.a, self.b)] + ([(self.b, self.a)] if self.far_side.both_ways else [])
