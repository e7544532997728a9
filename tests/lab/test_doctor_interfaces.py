# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: interfaces and their addresses."""

import pytest

from natlab.doctor import Fault, try_out

pytestmark = pytest.mark.xdist_group("doctor-interfaces")

FAULTS = [
    Fault(
        "link down",
        "links",
        ["ov0", "down", "peer b"],
        ["ip link set ov0 down"],
        by_hand=["ip address add fd00:ff::1/64 dev ov0 nodad"],
    ),
    Fault(
        "link gone",
        "links",
        ["ov0", "does not exist"],
        ["ip link set ov0 down", "ip link set ov0 name ov9"],
        command=False,
        by_hand=[
            "ip link set ov9 name ov0",
            "ip link set ov0 up",
            "ip address add fd00:ff::1/64 dev ov0 nodad",
        ],
    ),
    Fault(
        "LAN down",
        "lan",
        ["lan0", "down"],
        ["ip link set lan0 down"],
        by_hand=["ip address add fd00:a::1/64 dev lan0 nodad"],
    ),
    Fault(
        "router without LAN address",
        "lan-address",
        ["IPv4"],
        ["ip address del 192.168.1.1/24 dev lan0", "ip address del 10.10.10.10/24 dev lan1"],
        command=False,
        by_hand=["ip address add 192.168.1.1/24 dev lan0", "ip address add 10.10.10.10/24 dev lan1"],
    ),
    Fault(
        "gateway out of reach",
        "gateways",
        ["172.31.0.2", "ov0"],
        ["ip address del 172.31.0.1/24 dev ov0"],
        command=False,
        by_hand=["ip address add 172.31.0.1/24 dev ov0"],
    ),
    Fault(
        "WAN address inside a real prefix",
        "outside-address",
        ["192.168.1.77", "wan0"],
        ["ip address add 192.168.1.77/32 dev wan0"],
        command=False,
        by_hand=["ip address del 192.168.1.77/32 dev wan0"],
    ),
    Fault(
        "own virtual address on an interface",
        "own-virtual",
        ["240.1.1.1", "lan0"],
        ["ip address add 240.1.1.1/32 dev lan0"],
    ),
    Fault(
        "the peer's address on an interface",
        "duplicate-site",
        ["240.2.2.9", "peer b"],
        ["ip address add 240.2.2.9/32 dev wan0"],
    ),
    Fault(
        "link too small for IPv6",
        "mtu",
        ["ov0", "1200"],
        ["ip link set ov0 mtu 1200"],
        by_hand=[
            "ip address replace fd00:ff::1/64 dev ov0 nodad",
            "ip link set ov0 mtu 1500",
        ],
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_an_interface_or_an_address(overlay, fault):
    try_out(overlay, fault)
