# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites that use the same addresses, and the WAN between them.

                      192.168.1.20   192.168.1.1            198.51.100.1
    host C  ------------------- lan0 [        ] wan0 --------------------+
                                     [ router ]                          |  198.51.100.254, the way to everywhere
    second  10.10.10.5 --+---- lan1  [   A    ] ov0/wg0 = = = = = +      |
    printer 10.10.10.7 --+ 10.10.10.10                            =     WAN ---- stranger 198.51.100.66
                                                                  =      |
    host D, and the rest just the same ... [ router B ] = = = = = +      |
                                                        198.51.100.2 ----+
"""

from dataclasses import dataclass

from .machine import Machine
from .network import Network
from .router import Router

#: The hosts of sites a, b, c on their first LANs have names of their own, as in the documentation.
HOST_NAMES = {"a": "C", "b": "D", "c": "E"}
STRANGER = "198.51.100.66"


@dataclass
class Site:
    """One of several sites, all with the same real addresses. The n-th has the virtual prefixes 240.n.n.0/24 for
    192.168.1.0/24, 240.n.10.0/24 for 10.10.10.0/24 and fd01:n::/64 for fd00:a::/64."""

    name: str
    number: int
    router: Router
    #: 192.168.1.20, fd00:a::20
    host: Machine
    #: 10.10.10.5
    second: Machine
    #: 10.10.10.7, which the others also know as 240.n.n.200
    printer: Machine

    @property
    def stranger(self):
        """Somebody else on the WAN."""
        return self.router.lab.stranger

    @property
    def wan(self):
        return f"198.51.100.{self.number}"

    @property
    def prefix(self):
        return f"240.{self.number}.{self.number}.0/24"

    @property
    def second_prefix(self):
        return f"240.{self.number}.10.0/24"

    @property
    def prefix6(self):
        return f"fd01:{self.number}::/64"

    def virtual(self, last):
        """The name that peers use for 192.168.1.LAST."""
        return f"240.{self.number}.{self.number}.{last}"

    def virtual_second(self, last):
        """The name that peers use for 10.10.10.LAST."""
        return f"240.{self.number}.10.{last}"

    def virtual6(self, last):
        """The name that peers use for fd00:a::LAST."""
        return f"fd01:{self.number}::{last}"


def build_sites(lab, names="ab"):
    """Sites with those names, and the stranger on the WAN. Nothing of natctl is configured yet."""
    network = lab.network = Network(lab)
    network.segment("wan", "198.51.100.254/24")
    lab.stranger = network.machine("stranger")
    network.plug(lab.stranger, "wan0", "wan", f"{STRANGER}/24")
    return [build_site(network, name, number) for number, name in enumerate(names, start=1)]


def build_site(network, name, number):
    router = network.machine(f"router-{name}", Router)
    host = network.machine(HOST_NAMES.get(name, f"host-{name}"))
    network.cable(
        (router, "lan0", ["192.168.1.1/24", "fd00:a::1/64"], []),
        (host, "eth0", ["192.168.1.20/24", "fd00:a::20/64"], ["192.168.1.1", "fd00:a::1"]),
    )
    network.segment(f"{name}-lan1")
    network.plug(router, "lan1", f"{name}-lan1", "10.10.10.10/24")
    network.plug(router, "wan0", "wan", f"198.51.100.{number}/24", via=["198.51.100.254"])
    router.masquerade("wan0")

    others = []
    for label, last in (("second", 5), ("printer", 7)):
        other = network.machine(f"{label}-{name}")
        network.plug(other, "eth0", f"{name}-lan1", f"10.10.10.{last}/24", via=["10.10.10.10"])
        others.append(other)
    return Site(name, number, router, host, *others)
