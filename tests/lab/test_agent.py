# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl-agent applies site.toml at its start, when it changes and at SIGHUP, and traffic never depends on it.

    C --- [router a, natctl-agent] === ov0 === [router b] --- D
"""

import json

import pytest

from natlab import DEADLINE, always, eventually


def applied(router):
    """Whether the kernel holds what site.toml says."""
    assert not router.changes_pending()
    return True


def start(router, *options):
    agent = router.keep_up(*options)
    assert applied(router)
    return agent


def test_it_applies_at_its_start_and_stops_when_told(sites):
    a, _ = sites
    agent = start(a.router)
    assert a.host.greeting("240.2.2.20").host == "D"
    assert agent.running
    assert agent.stop("SIGTERM") == 0
    agent = start(a.router)
    assert agent.stop("SIGINT") == 0


def test_a_second_start_changes_nothing(sites):
    a, _ = sites
    start(a.router).stop()
    generation = a.router.nft_generation()
    start(a.router)
    assert a.router.nft_generation() == generation


def test_sighup_applies_an_edited_file(sites):
    a, _ = sites
    agent = start(a.router, "--no-watch")
    a.router.configure(a.router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24"))
    assert a.router.changes_pending(), "nobody asked the agent to read it yet"

    agent.send("SIGHUP")

    eventually(lambda: applied(a.router), what="the agent has applied the edited file")
    assert "240.4.4.0/24" in a.router.ruleset("inet natctl")
    assert "240.2.2.0/24" not in a.router.ruleset("inet natctl")


def test_a_broken_file_keeps_the_former_state(sites):
    a, _ = sites
    agent = start(a.router)
    good = a.router.toml.read_text()
    before = a.router.ruleset("inet natctl"), a.router.policy()

    a.router.configure(good + "\nlan = lan7\n")
    agent.send("SIGHUP")

    eventually(lambda: "site.toml:" in agent.stderr, what="the agent complains, with file and line")
    assert agent.running
    assert (a.router.ruleset("inet natctl"), a.router.policy()) == before
    assert a.host.greeting("240.2.2.20").host == "D"

    a.router.configure(good.replace("240.2.10.0/24", "240.4.10.0/24"))
    agent.send("SIGHUP")
    eventually(lambda: applied(a.router), what="a good file is applied again")
    assert "240.4.10.0/24" in a.router.ruleset("inet natctl")


def test_it_does_not_start_with_a_broken_file(sites):
    a, _ = sites
    a.router.configure("site = \n")
    agent = a.router.start_agent()
    assert agent.wait() == 1
    assert "site.toml:1:" in agent.stderr
    assert "natctl" not in a.router.ruleset()


def test_it_does_not_start_beside_another(sites):
    a, _ = sites
    start(a.router)
    second = a.router.start_agent()
    assert second.wait() == 1
    assert "another natctl-agent works in" in second.stderr


def test_an_edited_file_is_applied_without_being_asked_for(sites):
    a, _ = sites
    agent = start(a.router)
    good = a.router.toml.read_text()
    a.router.configure(good.replace("240.2.2.0/24", "240.4.4.0/24"))
    eventually(lambda: "240.4.4.0/24" in a.router.ruleset("inet natctl"), what="it was written")

    # As editors do it, with a maps file that is new.
    maps = a.router.directory / "hosts.map"
    maps.write_text("240.1.7.1 10.10.10.9 camera\n")
    new = a.router.directory / "new.toml"
    new.write_text(good.replace('lan  = ["lan0", "lan1"]', 'lan  = ["lan0", "lan1"]\nmaps = "hosts.map"'))
    new.rename(a.router.toml)
    eventually(lambda: "240.1.7.1 " in a.router.ruleset("inet natctl"), what="it was replaced")
    maps.write_text("240.1.7.2 10.10.10.9 camera\n")
    eventually(lambda: "240.1.7.2 " in a.router.ruleset("inet natctl"), what="the maps file was written")

    before = a.router.ruleset("inet natctl")
    maps.write_text("240.1.7.2 10.10.10.9.8 camera\n")
    eventually(lambda: "hosts.map:1:11" in agent.stderr, what="the mistake is logged with its place")
    assert a.router.ruleset("inet natctl") == before
    maps.write_text("240.1.7.3 10.10.10.9 camera\n")
    eventually(lambda: "240.1.7.3 " in a.router.ruleset("inet natctl"), what="it was mended")
    a.router.toml.unlink()
    eventually(lambda: "cannot open" in agent.stderr, what="it misses the file")
    assert agent.running and "240.1.7.3 " in a.router.ruleset("inet natctl")


def test_a_start_with_a_broken_file_keeps_up_what_was_applied(sites):
    a, _ = sites
    a.router.apply()
    a.router.run("nft", "delete", "table", "inet", "natctl")
    good = a.router.toml.read_text()
    a.router.configure("site = \n")
    agent = a.router.start_agent()
    eventually(lambda: "table inet natctl" in a.router.ruleset(), what="the last good one is in place")
    assert "site.toml:1:" in agent.stderr
    assert a.host.greeting("240.2.2.20").host == "D"
    a.router.configure(good)
    eventually(lambda: applied(a.router), what="it is mended")


def test_a_file_that_the_kernel_refuses_leaves_what_was_applied_kept_up(sites):
    a, _ = sites
    agent = start(a.router)
    good, before = a.router.toml.read_text(), a.router.table_words()
    a.router.ip("route add 240.3.3.0/24 dev lan0 table 7000")
    third = '\n[[peer]]\nname = "c"\nvirtual = "240.3.3.0/24"\nlink = { dev = "ov0", via = "172.31.0.3" }\n'
    a.router.configure(good + third)
    refused = "somebody else's route"
    eventually(lambda: refused in agent.stderr, what="it is refused")
    status = lambda: json.loads(a.router.natctl("status", "--json").stdout)["agent"]
    assert refused in status()["failure"]

    a.router.run("nft", "delete", "table", "inet", "natctl")
    # Not counted as a repair where the file happens to be tried again at that moment.
    eventually(lambda: a.router.table_words() == before, what="the former table is put back")
    a.router.ip("address add 203.0.113.77/32 dev wan0")
    assert a.host.greeting("240.2.2.20").host == "D"
    # Also by an agent that begins with it, after a restart of the machine.
    agent.stop()
    a.router.run("nft", "delete", "table", "inet", "natctl")
    agent = a.router.start_agent()
    eventually(lambda: refused in agent.stderr, what="it is refused again")
    # While an attempt is undone, there is something else for a moment.
    as_before = lambda: "240.2.2.0" in a.router.ruleset() and "240.3.3.0" not in a.router.ruleset()
    eventually(as_before, what="the last good one is in place")

    a.router.ip("route del 240.3.3.0/24 dev lan0 table 7000")
    third_is_there = lambda: "240.3.3.0/24" in a.router.ruleset("inet natctl")
    eventually(third_is_there, what="it is tried again", deadline=2 * DEADLINE)
    eventually(lambda: status()["failure"] is None, what="all is well")


def test_what_others_apply_and_take_down_is_theirs_to_say(sites):
    """natctl works beside it, and what was applied from another file is kept up."""
    a, _ = sites
    start(a.router)
    other = a.router.directory / "other.toml"
    other.write_text(a.router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24"))
    a.router.run(*a.router.command("apply", other))
    a.router.run("nft", "delete", "table", "inet", "natctl")
    eventually(lambda: "240.4.4.0/24" in a.router.ruleset("inet natctl"), what="that is put back")
    a.router.apply_on_trial(3600)
    a.router.run("nft", "delete", "table", "inet", "natctl")
    eventually(lambda: "240.2.2.0/24" in a.router.ruleset("inet natctl"), what="so is what is on trial")
    assert a.router.trial()["watched"]
    a.router.rollback()
    assert "240.4.4.0/24" in a.router.ruleset("inet natctl")
    a.router.down()
    a.router.ip("link set ov0 down", "link set ov0 up")
    always(lambda: "natctl" not in a.router.ruleset(), 0.5, "nothing is applied")
    assert "117" not in a.router.policy()


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_traffic_goes_on_without_it(sites, end):
    """Open flows and new ones, and a new agent takes over what the former left."""
    a, b = sites
    agent = start(a.router)
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        before = a.router.ruleset("inet natctl"), a.router.policy()

        agent.stop(end)

        assert (a.router.ruleset("inet natctl"), a.router.policy()) == before
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert a.host.greeting("240.2.2.20").host == "D"
    assert b.host.greeting("240.1.1.20").host == "C"
    start(a.router)
    assert (a.router.ruleset("inet natctl"), a.router.policy()) == before
