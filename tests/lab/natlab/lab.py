# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: namespaces, cables, programs and files that vanish together when it ends, however it ends."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from . import sweep
from .namespace import Namespace
from .story import Story

ROOT = Path(__file__).resolve().parents[3]

_watchman = None


def _guard_this_process():
    """Once a process: removes what earlier ones left, and sees to it that this one leaves nothing."""
    global _watchman
    if _watchman and _watchman[0] == os.getpid():
        return
    sweep.sweep()
    _watchman = (os.getpid(), sweep.watch_over(os.getpid()))
    # A with statement unwinds on exceptions only, and SIGTERM by itself raises none.
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


class Lab:
    """with Lab() as lab: ... Several may exist at once, in one process and in many."""

    #: Those that exist now, for the report of a failed test.
    live = []

    def __init__(self, binaries=None, parent=None):
        """`parent`: where the directory of the lab is made, with the run and state directories of its routers."""
        if os.geteuid() != 0:
            raise PermissionError("the lab makes network namespaces: run it as root")
        _guard_this_process()
        #: Where natctl, natctl-agent and natctl-tunnel lie.
        self.binaries = Path(binaries or os.environ.get("NATCTL_BIN", ROOT / "build/dev/bin")).resolve()
        self.name = f"{sweep.PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
        self.directory = Path(parent or tempfile.gettempdir()) / self.name
        self.directory.mkdir(mode=0o700)
        self.story = Story()
        self.programs = []
        self._namespaces = []
        self._describers = []
        self._sanitizer_reports = []
        Lab.live.append(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()
        if kind is None:
            assert not self._sanitizer_reports, "\n".join(self._sanitizer_reports)

    def namespace(self, label, kind=Namespace, **more):
        made = kind(self, f"{self.name}-{label}", label, **more)
        self._namespaces.append(made)
        return made

    def remove(self, namespace):
        """Before the lab itself ends; its label is free again then."""
        self._namespaces.remove(namespace)
        namespace.close()
        sweep.remove_namespace(namespace.name)

    def describe_with(self, describer):
        """describer() returns text for the report of a failure."""
        self._describers.append(describer)

    def program(self, name):
        """Path of one of natctl's programs."""
        path = self.binaries / name
        if not path.exists():
            raise FileNotFoundError(f"{path}: build it first, or set NATCTL_BIN to the directory of the programs")
        return path

    def built_with(self, sanitizer):
        """built_with("thread"): whether natctl-tunnel carries that sanitizer and so runs many times slower."""
        mark = {"thread": b"__tsan_init", "address": b"__asan_init"}[sanitizer]
        return mark in self.program("natctl-tunnel").read_bytes()

    def report(self):
        """The story so far, what the programs said, and what the kernels hold."""
        parts = ["the story so far:", str(self.story)]
        for program in self.programs:
            if said := program.stderr:
                parts += [f"stderr of {program.name} at {program.where} (pid {program.pid}):", said.rstrip()]
        for describer in self._describers:
            try:
                parts.append(describer())
            except Exception as error:  # the report must come out whatever else is broken
                parts.append(f"no description: {error}")
        return "\n".join(parts)

    def close(self):
        if self in Lab.live:
            Lab.live.remove(self)
        running = [program for program in self.programs if program.running]
        for program in running:
            program.process.terminate()
        for program in running:
            try:
                program.wait(deadline=10)
            except AssertionError:
                program.kill()
        self._sanitizer_reports = [
            f"{program.name} at {program.where}:\n{report}"
            for program in self.programs
            if (report := program.sanitizer_report())
        ]
        for namespace in self._namespaces:
            namespace.close()
            sweep.remove_namespace(namespace.name)
        self._namespaces.clear()
        shutil.rmtree(self.directory, ignore_errors=True)
