# SPDX-License-Identifier: GPL-3.0-or-later
"""One IPv6 prefix of site b that carries the IPv4 addresses of both its LANs in the last 32 bits."""

import ipaddress

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
