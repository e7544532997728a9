# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what labs left behind whose owner no longer lives: killed by SIGKILL, crashed, or without power.

Everything a lab makes carries the process id of its owner: namespaces and directories are called
natctl-lab-PID-RANDOM..., and all of its processes run inside its namespaces.

As a program, it waits for the end of its standard input, which the owner holds open, and sweeps then.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PREFIX = "natctl-lab-"
NAMESPACES = Path("/run/netns")
#: Where machines have control groups (version 2), if they do.
GROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))


def owner_of(name):
    """Process id in the name of a namespace or directory of a lab; None for all other names."""
    pid = name.removeprefix(PREFIX).partition("-")[0]
    return int(pid) if name.startswith(PREFIX) and pid.isdigit() else None


def lives(pid):
    return Path(f"/proc/{pid}").exists()


def namespaces(wanted):
    """Names of the namespaces whose owner satisfies wanted(pid)."""
    if not NAMESPACES.is_dir():
        return []
    return [name for name in sorted(os.listdir(NAMESPACES)) if (pid := owner_of(name)) and wanted(pid)]


def remove_namespace(name):
    """Kills whatever still runs inside, and removes it."""
    inside = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
    for pid in inside:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


def remove_group(group):
    """One whose processes are dead, with those below it."""
    for directory, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):  # the kernel has not buried them yet: the next sweep finds it
            os.rmdir(directory)


def sweep(wanted=lambda pid: not lives(pid)):
    for name in namespaces(wanted):
        remove_namespace(name)
    found = [path for parent in (tempfile.gettempdir(), "/dev/shm") for path in Path(parent).glob(PREFIX + "*")]
    for directory in found:
        if (pid := owner_of(directory.name)) and wanted(pid):
            shutil.rmtree(directory, ignore_errors=True)
    for group in [path for parent in GROUPS for path in parent.glob(PREFIX + "*")]:
        if (pid := owner_of(group.name)) and wanted(pid):
            remove_group(group)


def watch_over(owner):
    """Starts a process that sweeps when the owner has ended, in whatever way. Returns what must stay referenced."""
    return subprocess.Popen(
        [sys.executable, __file__, str(owner)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the owner
    )


if __name__ == "__main__":
    sys.stdin.read()
    dead = int(sys.argv[1])
    sweep(lambda pid: pid == dead)
