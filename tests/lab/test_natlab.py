# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: what it leaves behind (nothing), and how it fails."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from natlab import Capture, Lab, Never, build_sites, eventually
from natlab import sweep

HERE = Path(__file__).parent

#: A program that makes a lab with a running process in it, says so, and then waits for its end.
OWNER = """
import signal, sys
from natlab import Lab, build_sites
# Ignored in what a shell runs in the background, and in all that this starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Lab() as lab:
    build_sites(lab)
    lab.stranger.start("sleeper", "sleep", "1000")
    print(lab.name, lab.programs[0].pid, flush=True)
    sys.stdin.read()
"""


def what_is_left(name):
    """Namespaces and directories of that lab."""
    directories = [path.name for path in Path("/tmp").glob(name + "*")]
    return directories + [n for n in os.listdir("/run/netns") if n.startswith(name)]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, None])
def test_nothing_is_left_however_the_owner_ends(end):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=HERE, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    name, sleeper = owner.stdout.readline().split()
    assert what_is_left(name), "the lab was there"

    if end is None:
        owner.stdin.close()
    else:
        owner.send_signal(end)
    owner.wait(30)

    eventually(lambda: not what_is_left(name), what="namespaces and files are gone")
    eventually(lambda: not sweep.lives(int(sleeper)), what="its processes are gone")
    owner.stdout.close()


def test_the_sweeper_takes_only_what_nobody_owns(lab):
    build_sites(lab, "a")
    dead = subprocess.Popen(["true"])
    dead.wait()
    orphan = f"{sweep.PREFIX}{dead.pid}-0000-orphan"
    subprocess.run(["ip", "netns", "add", orphan], check=True)

    sweep.sweep()

    assert orphan not in os.listdir("/run/netns")
    assert lab.stranger.run("true").code == 0
    assert lab.stranger.ping("198.51.100.1")


def test_two_labs_stand_side_by_side(lab):
    with Lab() as other:
        for one in (lab, other):
            build_sites(one, "a")
        assert lab.stranger.ping("198.51.100.1") and other.stranger.ping("198.51.100.1")


def test_sites_cannot_reach_each_other_without_natctl_and_the_internet_they_can(lab):
    a, b = build_sites(lab)

    assert a.host.greeting("198.51.100.66").saw == "198.51.100.1", "masqueraded on the WAN"
    assert a.host.greeting("192.168.1.20").host == "C", "the address means the host itself"
    assert a.host.run("ping", "-c1", "-W1", b.virtual(20), check=False).code != 0


def test_a_capture_sees_what_leaks(lab):
    (a,) = build_sites(lab, "a")
    with Capture(lab.network.switches, "wan") as wan:
        a.host.run("ping", "-c1", "-W1", "240.2.2.20", check=False)
    seen = [(str(packet.source), str(packet.destination), packet.proto) for packet in wan.packets()]
    assert ("198.51.100.1", "240.2.2.20", "icmp") in seen


def test_eventually_tells_what_it_saw_last():
    with pytest.raises(Never, match="the moon is full; last seen: AssertionError: half"):
        eventually(lambda: (_ for _ in ()).throw(AssertionError("half")), deadline=0.1, what="the moon is full")


def test_a_program_that_ends_too_early_says_why(lab):
    build_sites(lab, "a")
    program = lab.stranger.start("grumpy", "sh", "-c", "echo not today >&2; exit 3")
    with pytest.raises(AssertionError, match="code 3 before it listens:\nnot today"):
        program.wait_until(lambda: False, "it listens")
