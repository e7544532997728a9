# SPDX-License-Identifier: GPL-3.0-or-later
"""Wires: network segments (switches) and the machines plugged into them."""

from .machine import Machine
from .namespace import Namespace


class Network:
    """All switches of a lab, in a namespace of their own that forwards nothing between them."""

    def __init__(self, lab):
        self.lab = lab
        self.switches = lab.namespace("switches", Namespace)
        self._ports = 0

    def segment(self, name, *addresses):
        """A new switch; with addresses when something is to answer ARP there. At most 15 characters."""
        self.switches.ip(
            # Without snooping, so that IPv6 neighbours are found from the first packet on.
            f"link add {name} type bridge mcast_snooping 0",
            f"link set {name} up",
            *(add_address(address, name) for address in addresses),
        )
        return name

    def machine(self, label, kind=Machine, **more):
        return self.lab.namespace(label, kind, **more)

    def plug(self, machine, interface, segment, *addresses, via=()):
        """Cable from the machine's new interface to the switch; `via`: default gateways."""
        self._ports += 1
        port = f"port{self._ports}"
        self.switches.ip(
            f"link add {port} type veth peer name {interface} netns {machine.name}",
            f"link set {port} master {segment} up",
        )
        set_up(machine, interface, addresses, via)

    def cable(self, one, other):
        """Cable between two machines without a switch; an end is (machine, interface, addresses, default gateways)."""
        self.switches.ip(
            f"link add {one[1]} netns {one[0].name} type veth peer name {other[1]} netns {other[0].name}",
        )
        for end in (one, other):
            set_up(*end)


def set_up(machine, interface, addresses, gateways):
    machine.ip(
        f"link set {interface} up",
        *(add_address(address, interface) for address in addresses),
        *(f"route add default via {gateway}" for gateway in gateways),
    )


def add_address(address, interface):
    # Duplicate address detection would keep IPv6 addresses out of use for a second or two.
    return f"address add {address} dev {interface}" + (" nodad" if ":" in address else "")
