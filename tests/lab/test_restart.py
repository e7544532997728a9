# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent brings up after a restart of the machine, or of itself, when something was on trial."""

import os
import signal

from natlab import eventually
from natlab.trial import LATER, held, held_table, tried, watch_is_gone, watch_of


def restart_of_the_machine(router):
    """What the kernel held is gone, processes too, the clock begins anew; files stay."""
    watch = router.state_dir / "trial"
    if watch.exists():
        os.kill(watch_of(router), signal.SIGKILL)
        watch_is_gone(router, watch_of(router))
        record = watch.read_text().split()
        record[3] = "00000000-0000-0000-0000-000000000000"
        watch.write_text("deadline {1}\nboot {3}\nwatch {5}\n".format(*record))
    router.run("nft", "delete", "table", "inet", "natctl")
    for table in (7000, 7001, 7002, 7003):
        router.run("ip", "route", "flush", "table", table, check=False)
        router.run("ip", "-6", "route", "flush", "table", table, check=False)
    for priority in range(6000, 6006):
        for family in ("-4", "-6"):
            while router.run("ip", family, "rule", "del", "pref", priority, check=False).code == 0:
                pass


def test_after_a_restart_the_confirmed_state_comes_up(router):
    """Though site.toml is still the one that was on trial."""
    former = held(router)
    router.apply_on_trial(LATER, tried(router))
    restart_of_the_machine(router)
    assert held_table(router) is None

    agent = router.start_agent()

    eventually(lambda: held(router) == former, what="the confirmed state is up")
    eventually(lambda: "was on trial and not confirmed" in agent.stderr)
    agent.send("SIGHUP")
    eventually(lambda: agent.stderr.count("was on trial and not confirmed") == 2, what="a reload does not change that")
    assert held(router) == former

    # Whoever changes the file means it, and so does `natctl apply`.
    router.configure(tried(router) + "\n# really\n")
    agent.send("SIGHUP")
    eventually(lambda: not router.changes_pending(), what="the changed file is applied")
    assert "240.4.4.0/24" in router.ruleset("inet natctl")


def test_a_restart_in_the_first_trial_comes_up_empty_and_apply_takes_it(sites):
    a, _ = sites
    a.router.apply_on_trial(LATER)
    restart_of_the_machine(a.router)
    agent = a.router.start_agent()
    eventually(lambda: "was on trial and not confirmed" in agent.stderr)
    assert held_table(a.router) is None
    a.router.apply()
    assert a.host.greeting("240.2.2.20").host == "D"


def test_confirm_after_a_restart_says_that_the_trial_is_over(router):
    router.apply_on_trial(LATER, tried(router))
    restart_of_the_machine(router)
    assert router.trial()["restarted"]
    result = router.confirm(check=False)
    assert result.code == 1 and "started again" in result.stderr


def test_a_reload_of_the_agent_keeps_the_trial_and_mends_it(router):
    agent = router.start_agent("--no-watch")
    former = held(router)
    router.apply_on_trial(LATER, tried(router))
    on_trial = held(router)
    router.run("nft", "delete", "table", "inet", "natctl")
    agent.send("SIGHUP")
    eventually(lambda: held_table(router) == on_trial[0], what="the table is back")
    assert router.trial()["watched"], "as long as nobody confirms it"
    router.rollback()
    assert held(router) == former
    agent.send("SIGHUP")
    eventually(lambda: "not confirmed" in agent.stderr)
    assert held(router) == former
