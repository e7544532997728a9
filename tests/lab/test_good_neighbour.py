# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl shares the kernel with others and touches nothing of theirs."""

import pytest

from natlab import linked_sites

#: Ours are marked with this protocol number (nftctl/plan/route.h).
OURS = "proto 117"

SOMEBODY_ELSES_RULES = """
table inet fortress {
    comment "not natctl's"
    set friends { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 } }
    map natctl { type inet_service : verdict; elements = { 22 : accept } }
    chain input {
        type filter hook input priority filter; policy accept;
        ip saddr @friends counter accept
        tcp dport vmap @natctl
    }
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        ct mark 0x400 counter
    }
}
table ip natctl {
    chain natctl {
        counter
    }
}
table ip6 natctl {
    set own4 { type ipv6_addr; elements = { 2001:db8::1 }; }
}
"""

#: Near ours on purpose: the same priorities, the same tables, our marks.
SOMEBODY_ELSES_ROUTING = [
    "rule add pref 100 from 192.0.2.1 lookup 100",
    "rule add pref 5999 fwmark 0x100/0xf00 lookup 101",
    "rule add pref 6000 from 192.0.2.2 lookup 102",
    "rule add pref 6003 from 192.0.2.3 lookup 7000",
    "rule add pref 6005 from 192.0.2.4 lookup 7003",
    "rule add pref 6006 from 192.0.2.5 lookup 7004",
    "route add default via 198.51.100.254 dev wan0 table 100",
    "route add 192.0.2.0/24 dev lan1 table 102",
    "route add 192.0.2.0/25 dev lan1 table 7000",
    "route add unreachable 192.0.2.128/25 table 7003",
    "route add 240.77.0.0/16 dev lan1 table 7004",
    "route add 240.78.0.0/16 dev lan1",
]
SOMEBODY_ELSES_ROUTING6 = [
    "-6 rule add pref 6004 from 2001:db8::1 lookup 7001",
    "-6 route add 2001:db8:1::/48 dev lan0 table 7001",
]


@pytest.fixture
def router(lab):
    a, _ = linked_sites(lab)
    a.router.nft(SOMEBODY_ELSES_RULES)
    a.router.ip(*SOMEBODY_ELSES_ROUTING)
    for line in SOMEBODY_ELSES_ROUTING6:
        a.router.run("ip", *line.split())
    return a.router


def theirs(router):
    """All rules and routes of the machine but natctl's, as text."""
    tables = router.run("nft", "list", "tables").stdout.split("\n")
    rules = [router.ruleset(line.removeprefix("table ")) for line in tables if line and line != "table inet natctl"]
    return "".join(rules), "\n".join(line for line in router.policy().splitlines() if OURS not in line)


def test_what_others_made_stays_byte_for_byte(router):
    before = theirs(router)
    assert "fortress" in before[0] and "240.77.0.0/16" in before[1]

    router.apply()
    assert OURS in router.policy()
    assert theirs(router) == before

    router.apply(router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24"))
    assert theirs(router) == before

    router.down()
    assert theirs(router) == before


def test_down_leaves_exactly_what_was_before(router):
    rules, policy = router.ruleset(), router.policy()
    router.apply()
    assert (router.ruleset(), router.policy()) != (rules, policy)
    router.down()
    assert (router.ruleset(), router.policy()) == (rules, policy)


def test_down_twice_and_down_of_nothing(router):
    before = router.ruleset(), router.policy()
    router.down()
    router.apply()
    router.down()
    router.down()
    assert (router.ruleset(), router.policy()) == before


def test_applying_twice_changes_nothing(router):
    assert router.changes_pending()
    router.apply()
    rules, policy, generation = router.ruleset(), router.policy(), router.nft_generation()

    assert not router.changes_pending()
    router.apply()

    assert router.nft_generation() == generation, "not even an empty transaction"
    assert (router.ruleset(), router.policy()) == (rules, policy)


def test_plan_and_check_and_show_and_status_change_nothing(router):
    router.apply()
    before = router.ruleset(), router.policy(), router.nft_generation()
    router.configure(router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24"))
    for verb in ("check", "plan", "show", "status"):
        router.natctl(verb, check=False)
    assert (router.ruleset(), router.policy(), router.nft_generation()) == before


def test_a_changed_configuration_replaces_the_former_one(router):
    """Nothing of the old one remains: the kernel holds what a first apply of the new one makes."""
    old = router.toml.read_text()
    new = old.replace("240.2.2.0/24", "240.4.4.0/24").replace("172.31.0.2", "172.31.0.7")
    router.apply(new)
    wanted = router.ruleset("inet natctl"), router.policy()
    router.down()

    router.apply(old)
    router.apply(new)

    assert (router.ruleset("inet natctl"), router.policy()) == wanted
    assert not router.changes_pending()


def test_what_others_did_to_our_table_is_found_and_put_right(router):
    router.apply()
    good = router.ruleset("inet natctl"), router.policy()
    damages = [
        "flush chain inet natctl nat_pre",
        "add element inet natctl peer4 { 240.99.0.0/16 }",
        "delete table inet natctl",
    ]
    for damage in damages:
        router.run("nft", *damage.split())
        assert router.changes_pending(), damage
        router.apply()
        assert (router.ruleset("inet natctl"), router.policy()) == good, damage
    router.ip("route flush table 7001")
    assert router.changes_pending()
    router.apply()
    # Including what somebody else had there; that is his to put back.
    assert not router.changes_pending()
