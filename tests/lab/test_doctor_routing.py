# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: tables, rules and routes: ours that are gone, and others in their place."""

import pytest

from natlab.doctor import Fault, try_out

pytestmark = pytest.mark.xdist_group("doctor-routing")

FAULTS = [
    Fault(
        "a policy rule among ours",
        "foreign-rules",
        ["pref 6003"],
        ["ip rule add pref 6003 to 10.99.0.0/16 lookup 254"],
    ),
    Fault(
        "a policy rule before ours",
        "rules-before",
        ["pref 5000", "0.0.0.0/0", "peer b"],
        ["ip rule add pref 5000 lookup main"],
    ),
    Fault(
        "a policy rule by our mark",
        "rules-by-mark",
        ["pref 10000", "0x200"],
        ["ip rule add pref 10000 fwmark 0x200 lookup 100"],
    ),
    Fault(
        "a route in our table",
        "foreign-routes",
        ["240.9.9.0/24", "7000"],
        ["ip route add 240.9.9.0/24 dev ov0 table 7000"],
    ),
    Fault("table flushed", "table", ["not there"], ["nft delete table inet natctl"]),
    Fault("chain flushed", "table", ["chain guard"], ["nft flush chain inet natctl guard"]),
    Fault(
        "somebody else's element",
        "table",
        ["set peer4"],
        ["nft 'add element inet natctl peer4 { 240.7.7.0/24 }'"],
    ),
    Fault("policy rule gone", "policy-rules", ["missing", "7003"], ["ip rule del pref 6005"]),
    Fault("route gone", "routes", ["missing", "240.2.2.0/24"], ["ip route del 240.2.2.0/24 table 7000"]),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_table_a_rule_or_a_route(overlay, fault):
    try_out(overlay, fault)
