# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl-agent puts back what other programs take away, and recognises one that does it again and again.

    C --- [router a, natctl-agent] === ov0 === [router b] --- D
"""

import pytest

from natlab import eventually

VIRTUAL_D = "240.2.2.20"


@pytest.fixture
def kept(sites):
    """Sites a and b, an agent on router a, and what router a holds."""
    a, b = sites
    agent = a.router.keep_up()
    return a, b, agent, held(a.router)


def held(router):
    """All that is natctl's."""
    policy = [line for line in router.policy().splitlines() if " proto 117" in line]
    return router.table_words(), sorted(policy)


def eventually_held(kept, what):
    a, _, agent, before = kept
    agent.wait_until(lambda: held(a.router) == before, what)


def test_a_flushed_ruleset_is_back_at_once_and_the_log_says_who_did_it(kept):
    a, b, agent, _ = kept
    others = a.router.ruleset("ip internet")
    with a.host.dial(VIRTUAL_D) as flow:
        flow.recv(100)
        a.router.run("nft", "flush", "ruleset")
        a.router.nft(others)
        eventually_held(kept, "the table is back")
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert b.host.greeting("240.1.1.20").host == "C"
    eventually(lambda: "put back: table inet natctl" in agent.stderr, what="the log says so")
    assert "nft (process " in agent.stderr, agent.stderr


@pytest.mark.parametrize(
    "command, said",
    [
        ("nft delete element inet natctl lan_if { lan0 }", "put back: lan_if +1"),
        ("nft add element inet natctl lan_if { evil0 }", "put back: lan_if -1"),
        ("nft insert rule inet natctl forged accept", "put back: rules of forged"),
        ("nft flush chain inet natctl forged", "put back: rules of forged"),
        ("nft delete table inet natctl", "put back: table inet natctl"),
        ("ip route flush table 7003", "routes"),
        ("ip -6 route del fd01:2::/64 table 7000", "put back: 1 route"),
        ("ip rule del pref 6003", "put back: 1 policy rule"),
        ("ip -6 rule del pref 6005", "put back: 1 policy rule"),
    ],
)
def test_whatever_is_taken_away_or_put_in_is_mended(kept, command, said):
    a, b, agent, _ = kept
    a.router.run(*command.split())
    eventually_held(kept, f"{command} is undone")
    eventually(lambda: said in agent.stderr, what="the log says so")
    assert a.host.greeting(VIRTUAL_D).host == "D"
    assert b.host.greeting("240.1.1.20").host == "C"


def test_all_rules_flushed(kept):
    a, _, agent, _ = kept
    a.router.run("ip", "rule", "flush")
    a.router.ip("rule add pref 32766 lookup main", "rule add pref 32767 lookup default")
    eventually_held(kept, "the rules are back")
    assert "policy rules" in agent.stderr
    assert a.host.greeting(VIRTUAL_D).host == "D"


def test_routes_come_back_with_their_interface(kept):
    a, _, _, _ = kept
    with a.host.dial(VIRTUAL_D) as flow:
        flow.recv(100)
        a.router.ip("link set ov0 down")
        eventually(lambda: "dev ov0 table 7000" not in a.router.policy(), what="the kernel drops them")
        a.router.ip("link set ov0 up")
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
        # Its IPv6 address went as well.
        a.router.ip("address add fd00:ff::1/64 dev ov0 nodad")
        eventually_held(kept, "they are all back")
    assert "tried again" not in kept[2].stderr


def test_a_fight_is_recognised_and_does_not_become_a_loop(kept):
    a, _, agent, _ = kept
    script = "while sleep 0.05; do nft delete table inet natctl 2>/dev/null; done"
    other = a.router.start("other-firewall", "sh", "-c", script)
    eventually(lambda: "again and again" in agent.stderr, what="it is recognised")
    assert "nft (process " in agent.stderr.split("again and again")[0].splitlines()[-1]
    before = agent.stderr.count("put back")
    assert before <= 6
    # The other goes on for a while, and is not kept busy.
    generation = a.router.nft_generation()
    eventually(lambda: "natctl" not in a.router.ruleset(), what="the other has the last word")
    assert a.router.nft_generation() - generation <= 4
    other.stop("SIGKILL")
    eventually_held(kept, "when it is gone, the table comes back")
    assert agent.stderr.count("again and again") == 1


def test_other_tables_are_of_no_concern(kept):
    a, _, agent, before = kept
    for i in range(20):
        a.router.nft(f"add table inet other{i}\nadd chain inet other{i} natctl")
    assert held(a.router) == before
    assert "put back" not in agent.stderr
