# SPDX-License-Identifier: GPL-3.0-or-later
"""One IPv6 prefix of site b that carries the IPv4 addresses of both its LANs in the last 32 bits."""

import contextlib
import ipaddress

from . import toml
from .lab import Lab
from .site import build_sites

PREFIX = "64:ff9b:2222::/96"

#: For site.toml of b.
MAP = f"""
[[map]]
virtual = "{PREFIX}"
real    = ["192.168.1.0/24", "10.10.10.0/24"]
"""


def carrying(address):
    """The name by which an IPv4 address of b is asked for."""
    network = ipaddress.ip_network(PREFIX)
    return str(network[int(ipaddress.ip_address(address))])


@contextlib.contextmanager
def joined():
    """The sites a and b; a reaches b by its NAT prefix and by this one, through natctl-tunnel on both routers."""
    with Lab() as lab:
        a, b = build_sites(lab)
        a.router.apply(
            toml.site(a)
            + f"""
[[peer]]
name    = "b"
virtual = ["{b.prefix}", "{PREFIX}"]
link    = {{ socks5 = "{b.wan}:1080" }}
"""
        )
        b.router.apply(toml.site(b) + MAP + toml.listener(f"{b.wan}:1080", allow=[f"{a.wan}/32"]))
        a.router.start_tunnel()
        b.router.start_tunnel()
        yield a, b
