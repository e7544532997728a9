# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that waits for the end of a trial depends on nobody, and does not give up."""

import os
import shlex
import signal
from pathlib import Path

import pytest

from natlab import eventually
from natlab.trial import LATER, SOON, has_ended, held, tried, watch_is_gone, watch_of


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGKILL"])
def test_the_end_of_the_session_does_not_end_the_trial(router, name):
    """The caller's shell has a terminal of its own, as over ssh. All of its process group get the signal."""
    former = held(router)
    router.configure(tried(router))
    command = shlex.join(map(str, router.command("apply", router.toml, "--confirm", SOON)))
    shell = router.start("shell", "script", "-qefc", f"{command}; sleep 99", "/dev/null")
    eventually(lambda: "240.4.4.0/24" in router.ruleset("inet natctl"), what="it is on trial")
    watch = watch_of(router)
    assert os.getsid(watch) != os.getsid(shell.pid) and os.getpgid(watch) != os.getpgid(shell.pid)
    stat = Path(f"/proc/{watch}/stat").read_text().rpartition(")")[2].split()
    assert int(stat[1]) not in descendants(shell.pid), "it belongs to nobody of the session"
    assert stat[4] == "0", "it has no terminal"
    assert os.readlink(f"/proc/{watch}/cwd") == "/"
    assert {os.readlink(f"/proc/{watch}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}

    for pid in descendants(shell.pid):
        os.kill(pid, getattr(signal, name))
    shell.kill()

    assert not has_ended(watch)
    watch_is_gone(router, watch)
    assert held(router) == former


def descendants(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in children for each in descendants(int(child))] + [pid]


def test_it_keeps_no_descriptor_of_the_caller(router):
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    open_files = [os.readlink(f"/proc/{watch}/fd/{fd}") for fd in os.listdir(f"/proc/{watch}/fd")]
    assert len(open_files) == 6, open_files
    router.apply()


def test_the_return_is_tried_again_until_it_succeeds(router):
    """Meanwhile somebody's route stands where one of ours has to go back to."""
    former = held(router)
    router.apply_on_trial(SOON, tried(router))
    watch = watch_of(router)
    router.ip("route add 240.2.2.0/24 dev lan0 table 7000")
    eventually(lambda: router.trial()["seconds_left"] == 0, what="its time is over")
    assert not has_ended(watch)
    assert router.trial() is not None
    router.ip("route del 240.2.2.0/24 dev lan0 table 7000")
    watch_is_gone(router, watch)
    assert held(router) == former
