# SPDX-License-Identifier: GPL-3.0-or-later
"""With own_table the table is natctl-agent's while it runs: others cannot change it, and natctl has the agent do it.

    C --- [router a, natctl-agent] === ov0 === [router b] --- D
"""

import platform
import re

import pytest

from natlab import doctor, eventually, netfilter
from natlab.trial import LATER, SOON, held, held_table, tried, watch_is_gone, watch_of

RELEASE = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
pytestmark = pytest.mark.skipif(RELEASE < (6, 9), reason="tables that outlive their owner need Linux 6.9")

VIRTUAL_D = "240.2.2.20"


@pytest.fixture
def owned(sites):
    """Sites a and b; router a with an agent that owns the table."""
    a, _ = sites
    a.router.configure(a.router.toml.read_text() + "\n[agent]\nown_table = true\n")
    # Or it would take what is tried for good, as soon as it is written.
    a.router.keep_up("--no-watch")
    return sites


def test_others_cannot_change_it(owned):
    a, _ = owned
    before = held(a.router)
    with a.host.dial(VIRTUAL_D) as flow:
        flow.recv(100)
        a.router.run("nft", "flush", "ruleset")
        for command in (
            "delete table inet natctl",
            "delete element inet natctl lan_if { lan0 }",
            "insert rule inet natctl forged accept",
        ):
            refused = a.router.run("nft", *command.split(), check=False)
            assert refused.code != 0 and "not permitted" in refused.stderr, str(refused)
        assert held(a.router) == before
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert "put back" not in a.router.agent.stderr


def test_what_is_not_in_the_table_is_put_back_as_ever(owned):
    a, _ = owned
    before = held(a.router)
    a.router.ip("rule del pref 6003")
    eventually(lambda: held(a.router) == before, what="the rule is back")


def test_natctl_has_the_agent_do_it(owned):
    a, _ = owned
    router = a.router
    former = held(router)
    router.natctl("apply")
    assert held(router) == former

    router.run(*router.command("whitelist", "add", "203.0.113.0/24"))
    assert netfilter.elements(router, "white_now4") == {"203.0.113.0/24"}
    router.run(*router.command("whitelist", "del", "203.0.113.0/24"))

    said = router.apply_on_trial(LATER, tried(router))
    assert f"{LATER} s" in said.stdout
    assert "240.4.4.0/24" in router.ruleset("inet natctl")
    router.rollback()
    assert held(router) == former

    router.apply_on_trial(LATER, tried(router))
    router.confirm()
    assert "240.4.4.0/24" in router.confirmed_text()

    assert router.down().stdout == ""
    assert held_table(router) is None and router.confirmed_text() is None
    assert " proto 117" not in router.policy()


def test_another_file_than_the_agents_is_put_on_trial(owned):
    """As docs/guide.md has it done from afar."""
    a, _ = owned
    router = a.router
    former = held(router)
    new = router.directory / "new.toml"
    new.write_text(tried(router))
    router.run(*router.command("apply", "--confirm", LATER, new))
    assert "240.4.4.0/24" in router.ruleset("inet natctl")
    router.rollback()
    assert held(router) == former
    router.run(*router.command("apply", "--confirm", LATER, new))
    router.confirm()
    assert "240.4.4.0/24" in router.confirmed_text()
    new.write_text("site = ")
    refused = router.run(*router.command("apply", new), check=False)
    assert refused.code == 1 and f"{new}:1:" in refused.stderr


def test_a_trial_that_nobody_confirms_ends(owned):
    a, _ = owned
    former = held(a.router)
    a.router.apply_on_trial(SOON, tried(a.router))
    assert held(a.router)[:2] != former[:2]
    watch_is_gone(a.router, watch_of(a.router))
    assert held(a.router) == former
    assert a.host.greeting(VIRTUAL_D).host == "D"


def test_a_trial_that_began_before_the_agent_ends(owned):
    """The process that waits was there before somebody owned the table, and cannot change it any more."""
    a, _ = owned
    former = held(a.router)
    a.router.agent.stop()
    a.router.apply_on_trial(SOON, tried(a.router))
    a.router.keep_up()
    watch_is_gone(a.router, watch_of(a.router))
    assert held(a.router) == former


def test_a_trial_without_a_former_state_ends_with_nothing(sites):
    a, _ = sites
    without = a.router.ruleset(), a.router.policy()
    site = a.router.toml.read_text() + "\n[agent]\nown_table = true\n"
    a.router.apply_on_trial(SOON, site)
    a.router.keep_up()
    watch_is_gone(a.router, watch_of(a.router))
    assert (a.router.ruleset(), a.router.policy()) == without


def test_a_killed_agent_leaves_the_table_and_the_next_one_takes_it_over(owned):
    a, b = owned
    router = a.router

    def shown():
        """Without the owner, whom nft lists."""
        return router.show(), router.policy()

    before = shown()
    with a.host.dial(VIRTUAL_D) as flow:
        flow.recv(100)
        router.agent.stop("SIGKILL")
        assert shown() == before
        assert b.host.greeting("240.1.1.20").host == "C"

        generation = router.nft_generation()
        router.keep_up()
        assert shown() == before
        assert router.nft_generation() == generation + 1, "it is the agent's again, that is all"
        refused = router.run("nft", "delete", "table", "inet", "natctl", check=False)
        assert refused.code != 0
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"


def test_without_the_agent_natctl_does_it_itself(owned):
    a, _ = owned
    router = a.router
    router.agent.stop()
    router.apply(tried(router))
    assert "240.4.4.0/24" in router.ruleset("inet natctl")
    assert not router.changes_pending()
    router.down()
    assert held_table(router) is None


def test_who_does_not_ask_this_agent_is_told_why_nothing_happens(owned, tmp_path):
    a, _ = owned
    before = held(a.router)
    natctl = a.router.lab.program("natctl")
    places = ("--run-dir", tmp_path / "run", "--state-dir", tmp_path / "state")
    a.router.configure(tried(a.router))
    for verb in ("apply", "down"):
        refused = a.router.run(natctl, verb, *places, a.router.toml, check=False)
        assert refused.code == 1 and "natctl-agent owns it" in refused.stderr, str(refused)
    assert held(a.router) == before


def test_it_can_be_given_up_again(owned):
    a, _ = owned
    router = a.router
    router.apply(router.toml.read_text().replace("own_table = true", "own_table = false"))
    router.run("nft", "delete", "table", "inet", "natctl")
    router.agent.wait_until(lambda: held_table(router) is not None, "it is put back")
    assert a.host.greeting(VIRTUAL_D).host == "D"


def test_doctor_finds_nothing_wrong_with_it(owned):
    a, _ = owned
    assert doctor.find(a.router, "kernel-features") == []
    assert "not permitted" not in str(doctor.diagnose(a.router))
