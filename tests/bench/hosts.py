# SPDX-License-Identifier: GPL-3.0-or-later
"""A site of very many hosts, each with a virtual address of its own, as nft and natctl want to read it."""

import ipaddress

VIRTUAL = int(ipaddress.IPv4Address("240.16.1.0"))
REAL = int(ipaddress.IPv4Address("10.64.1.0"))
#: The router's interfaces and their addresses.
LAN = ("lan0", "10.64.0.1/10")
OVERLAY = ("ov0", "172.31.0.1/24")
#: The virtual and the real side of a prefix map beside those of the hosts.
PREFIX = ("240.1.1.0/24", "192.168.1.0/24")

SITE = f"""\
site = "a"
lan  = ["{LAN[0]}"]
"""
PEER = f"""
[[peer]]
name    = "b"
virtual = ["240.2.2.0/24"]
link    = {{ dev = "{OVERLAY[0]}", via = "172.31.0.2" }}
"""


def pairs(count):
    """(virtual, real) of each host. The real addresses come in an order that is none, as on a network that grew."""
    for number in range(count):
        # A prime above all counts: every real address comes up once.
        real = REAL + number * 1000003 % count
        yield str(ipaddress.IPv4Address(VIRTUAL + number)), str(ipaddress.IPv4Address(real))


def maps_file(count):
    return "".join(f"{virtual} {real}\n" for virtual, real in pairs(count))


def with_one_moved(maps, count):
    """That maps file with a real address for the first host that no other has."""
    virtual, _, _ = maps.partition(" ")
    return f"{virtual} {ipaddress.IPv4Address(REAL + count)}\n" + maps.partition("\n")[2]


def site_with_file(name, prefix=False):
    return f'{SITE}maps = "{name}"\n' + (_map(*PREFIX) if prefix else "") + PEER


def site_with_maps(count):
    return SITE + "".join(_map(virtual, real) for virtual, real in pairs(count)) + PEER


def _map(virtual, real):
    return f'\n[[map]]\nvirtual = "{virtual}"\nreal    = "{real}"\n'


def nft_maps(count, both):
    """A table with the map from virtual to real addresses and, with `both`, the one back, in nft's language."""
    text = "table ip hosts {\n"
    for name in ("dnat4h", "snat4h") if both else ("dnat4h",):
        text += f"map {name} {{ type ipv4_addr : ipv4_addr; elements = {{\n"
        there = ((virtual, real) if name == "dnat4h" else (real, virtual) for virtual, real in pairs(count))
        text += ",\n".join(f"{key} : {value}" for key, value in there) + "\n} }\n"
    return text + "}\n"
