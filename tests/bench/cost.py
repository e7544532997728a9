# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command costs: time, processor and memory; and how much of its time is spent in the kernel's netlink."""

import os
import re
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Cost:
    """Of a command from its start to its end. The system's share of the processor time is sampled by the kernel at
    its timer ticks, so it means little for commands of a few milliseconds; the sum is exact."""

    milliseconds: float
    cpu_milliseconds: float
    system_milliseconds: float
    #: The most that was resident at once.
    peak_megabytes: float


@dataclass
class NetlinkTime:
    """As strace sees it, which adds some microseconds to each call."""

    #: All calls on sockets.
    milliseconds_in_netlink: float
    #: In sendmsg, of them: nft and natctl alike send changes of rules with it, questions with others. The kernel has
    #: done what a batch asks for when it returns.
    commit_milliseconds: float


def cost(namespace, argv):
    # Not the rusage of a child of this process: that begins with the memory of the process that started it.
    note = namespace.lab.directory / "peak"
    begin = time.perf_counter()
    usage = _run(namespace, ["time", "--format=%M", f"--output={note}", *argv])
    took = time.perf_counter() - begin
    return Cost(
        took * 1e3,
        (usage.ru_utime + usage.ru_stime) * 1e3,
        usage.ru_stime * 1e3,
        int(note.read_text()) * 1024 / 1e6,
    )


#: A call in a line of strace -f -T, whether in one piece or resumed.
CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)\b.* <([0-9.]+)>$", re.MULTILINE)


def netlink_time(namespace, argv):
    trace = namespace.lab.directory / "trace"
    # Arguments are not decoded: those of a batch are many megabytes.
    options = ["--follow-forks", "--syscall-times", "--trace=%network", "--raw=%network"]
    # The smoke test comes with sanitizers, of which that for leaks cannot bear strace.
    sanitizer = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"]))
    _run(namespace, ["strace", *options, "--output", trace, *argv], ASAN_OPTIONS=sanitizer)
    calls = [(name, float(seconds)) for name, seconds in CALL.findall(trace.read_text())]
    commits = sum(seconds for name, seconds in calls if name == "sendmsg")
    return NetlinkTime(sum(seconds for _, seconds in calls) * 1e3, commits * 1e3)


def _run(namespace, argv, **environment):
    """Resources that the command and its children used. It must succeed."""
    argv = [str(part) for part in argv]
    said = namespace.lab.directory / "said"
    with open(said, "wb") as out, namespace.inside():
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **environment}
        )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit code {process.returncode}\n{said.read_text()}")
    return usage
