# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: other people's rules that drop, translate or mark what is ours."""

import pytest

from natlab.doctor import NO_FOREIGN, Fault, foreign, try_out

pytestmark = pytest.mark.xdist_group("doctor-firewall")

FAULTS = [
    Fault(
        "forward chain with policy drop",
        "firewall",
        ["chain guard of table inet foreign", "policy", "lan0", "ov0"],
        [foreign("ct state established,related accept", policy="drop")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "forward chain that lets only the WAN pass",
        "firewall",
        ["chain guard", "policy"],
        [
            foreign(
                "ct state vmap { established : accept, related : accept, invalid : drop }; "
                'iifname { "lan0", "lan1" } oifname "wan0" accept',
                policy="drop",
            )
        ],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "forward rule that drops the peer",
        "firewall",
        ["rule with handle", "peer b"],
        [foreign("ip daddr 240.2.2.0/24 counter drop", family="ip")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "forward rule that rejects, in a chain of its own",
        "firewall",
        ["chain not_there"],
        ["nft 'table inet foreign { chain not_there { ip daddr @bogons reject; }; "
         "set bogons { type ipv4_addr; flags interval; elements = { 224.0.0.0/3 }; }; "
         "chain guard { type filter hook forward priority 0; jump not_there; }; }'"],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "a list of bogons before routing",
        "firewall",
        ["chain guard", "peer b by ov0"],
        [foreign("ip saddr { 10.0.0.0/8, 240.0.0.0/4 } drop", hook="prerouting", priority="-300")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "a masquerade before ours",
        "foreign-nat",
        ["priority 80", "translates", "ov0"],
        [foreign("masquerade", kind="nat", hook="postrouting", priority="80")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "a dnat that takes what is for the peer",
        "foreign-nat",
        ["translates", "lan0"],
        [foreign('iifname "lan0" dnat to 192.168.1.20', kind="nat", hook="prerouting", priority="-100", family="ip")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "somebody sets our bits of the mark",
        "marks",
        ["0x00000f00", "chain guard"],
        [foreign("ip protocol tcp meta mark set 0x100", hook="prerouting", priority="-160")],
        by_hand=NO_FOREIGN,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_firewall(overlay, fault):
    try_out(overlay, fault)
