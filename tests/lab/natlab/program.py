# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that end by themselves (Result) and programs that run until they are stopped (Program)."""

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .wait import DEADLINE, eventually

#: What a sanitizer writes when it has found something.
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")


class CommandFailed(AssertionError):
    pass


@dataclass
class Result:
    """Of a command that ended."""

    command: str
    code: int
    stdout: str
    stderr: str
    seconds: float

    def __str__(self):
        said = "\n".join(part for part in (self.stdout.rstrip(), self.stderr.rstrip()) if part)
        return f"{self.command}: exit code {self.code}" + (f"\n{said}" if said else "")


class Program:
    """A program running in a namespace. Its stdout and stderr go to a file each."""

    def __init__(self, name, where, argv, log_dir, story, env=None, cwd=None):
        self.name = name
        self.where = where
        self._story = story
        self._stdout = log_dir / f"{where.label}-{name}.stdout"
        self._stderr = log_dir / f"{where.label}-{name}.stderr"
        self._told = False
        story.tell(where.label, "start " + " ".join(map(str, argv)))
        with open(self._stdout, "ab") as out, open(self._stderr, "ab") as err, where.inside():
            self.process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    @property
    def stdout(self):
        return self._stdout.read_text(errors="replace")

    @property
    def stderr(self):
        return self._stderr.read_text(errors="replace")

    def wait_until(self, condition, what, deadline=DEADLINE):
        """Waits until the program has brought about the condition; fails at once when it ends before."""

        def holds():
            if self.running:
                return condition()
            raise CommandFailed(f"{self.name} ended with code {self.process.returncode} before {what}:\n{self.stderr}")

        def holds_or_ended():
            try:
                return ("holds", holds())[1] and ("holds", None)
            except CommandFailed as error:
                return ("ended", error)

        outcome, error = eventually(holds_or_ended, deadline, f"{self.name}: {what}\n{self.stderr}")
        if outcome == "ended":
            raise error
        return self

    def send(self, name):
        """Sends the signal of that name: "SIGHUP"."""
        self._story.tell(self.where.label, f"{name} to {self.name}")
        self.process.send_signal(signal.Signals[name])

    def wait(self, deadline=DEADLINE):
        """Exit code of the program, which must end by itself."""
        try:
            code = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{self.name} still runs after {deadline:g} s") from None
        self._tell_end()
        return code

    def stop(self, name="SIGTERM", deadline=DEADLINE):
        """Asks it to end and returns the exit code (negative: the signal that ended it)."""
        if self.running:
            self.send(name)
        return self.wait(deadline)

    def kill(self):
        """Ends it for certain, as kill -9 or a crash does."""
        if self.running:
            # With its children: it leads a session of its own.
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self._tell_end()

    def cpu_seconds(self):
        """User and system time so far, of all its threads and of the processes that it started."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it may just have ended
                fields = stat.read_text().rpartition(")")[2].split()
                # It leads a session of its own.
                if int(fields[3]) == self.pid:
                    ticks += sum(int(field) for field in fields[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

    def open_files(self):
        """How many descriptors it holds."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def sanitizer_report(self):
        """What a sanitizer complained about, or nothing."""
        said = self.stderr
        return said if any(mark in said for mark in SANITIZER_REPORTS) else ""

    def _tell_end(self):
        if not self._told:
            self._told = True
            self._story.tell(self.where.label, f"{self.name} ended with code {self.process.returncode}", self.stderr)
