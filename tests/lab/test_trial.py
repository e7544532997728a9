# SPDX-License-Identifier: GPL-3.0-or-later
"""`natctl apply --confirm`: unconfirmed, the former state comes back by itself.

    C --- [router a] === ov0 === [router b] --- D
"""

import os
import signal

import pytest

from natlab import eventually
from natlab.trial import LATER, SOON, has_ended, held, tried, watch_is_gone, watch_of


def test_unconfirmed_it_comes_back_by_itself(sites, router):
    a, _ = sites
    former = held(router)
    said = router.apply_on_trial(SOON, tried(router))
    assert f"{SOON} s" in said.stdout and "natctl confirm" in said.stdout
    watch = watch_of(router)
    assert "240.4.4.0/24" in router.ruleset("inet natctl")
    assert held(router)[2] == former[2], "nobody has confirmed it yet"

    watch_is_gone(router, watch)

    assert held(router) == former
    assert a.host.greeting("240.2.2.20").host == "D"
    assert router.trial() is None
    refused = router.confirm(check=False)
    assert refused.code == 1 and "nothing is on trial" in refused.stderr


def test_confirmed_it_stays(router):
    router.apply_on_trial(SOON, tried(router))
    watch = watch_of(router)
    on_trial = held(router)

    assert router.confirm().stdout == ""

    watch_is_gone(router, watch)
    assert held(router)[:2] == on_trial[:2]
    assert held(router)[2] == router.toml.read_text()
    assert router.confirm(check=False).code == 1, "once is enough"
    router.rollback()
    assert held(router)[:2] == on_trial[:2], "this is what was confirmed last"


def test_rollback_at_once_kernel_and_files(sites, router):
    a, _ = sites
    former = held(router)
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    assert held(router)[:2] != former[:2]

    router.rollback()

    assert held(router) == former
    assert a.host.greeting("240.2.2.20").host == "D"
    watch_is_gone(router, watch)


def test_rollback_mends_what_others_broke(router):
    former = held(router)
    router.run("nft", "delete", "table", "inet", "natctl")
    router.ip("route flush table 7000")
    router.rollback()
    assert held(router) == former


def test_nothing_confirmed_before_means_nothing(sites):
    a, _ = sites
    without = a.router.ruleset(), a.router.policy()
    a.router.apply_on_trial(SOON)
    watch_is_gone(a.router, watch_of(a.router))
    assert (a.router.ruleset(), a.router.policy()) == without

    a.router.apply_on_trial(LATER)
    a.router.rollback()
    assert (a.router.ruleset(), a.router.policy()) == without
    a.router.rollback()
    assert (a.router.ruleset(), a.router.policy()) == without


def test_status_counts_the_seconds(router):
    assert router.trial() is None
    router.apply_on_trial(LATER, tried(router))
    trial = router.trial()
    assert LATER - 60 < trial["seconds_left"] <= LATER
    assert trial["watched"] and not trial["restarted"]
    assert "natctl confirm" in router.natctl("status").stdout
    eventually(lambda: router.trial()["seconds_left"] < trial["seconds_left"], what="time passes")

    # Somebody killed the process that waits: said, not hidden.
    os.kill(watch_of(router), signal.SIGKILL)
    eventually(lambda: not router.trial()["watched"])
    assert "natctl rollback" in router.natctl("status").stdout
    router.rollback()
    assert router.trial() is None


def test_a_second_trial_is_refused_and_a_plain_apply_confirms(router):
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    before = held(router)
    second = router.natctl("apply", "--confirm", "5", check=False)
    assert second.code == 1 and "natctl rollback" in second.stderr
    assert held(router) == before and not has_ended(watch)

    router.apply()

    watch_is_gone(router, watch)
    assert router.trial() is None
    assert held(router)[2] == router.toml.read_text()


def test_down_ends_a_trial(router):
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    router.down()
    watch_is_gone(router, watch)
    assert "natctl" not in router.ruleset()
    assert list(router.state_dir.iterdir()) == []


@pytest.mark.parametrize("seconds", ["0", "-1", "86401", "soon"])
def test_seconds_have_to_make_sense(router, seconds):
    before = held(router)
    assert router.natctl("apply", "--confirm", seconds, check=False).code == 2
    assert held(router) == before


def test_a_refused_configuration_is_no_trial(router):
    """By the parser, and by the kernel."""
    former = held(router)
    good = router.toml.read_text()
    router.configure(good + "lan = \n")
    assert router.natctl("apply", "--confirm", "5", check=False).code == 1
    assert held(router) == former and router.trial_files() == []

    router.ip("route add 240.3.3.0/24 dev lan0 table 7000")
    occupied = held(router)
    router.configure(good.replace("240.2.2.0/24", "240.3.3.0/24"))
    result = router.natctl("apply", "--confirm", "5", check=False)
    assert result.code == 1 and "240.3.3.0/24" in result.stderr
    assert held(router) == occupied and router.trial_files() == []
