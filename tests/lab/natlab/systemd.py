# SPDX-License-Identifier: GPL-3.0-or-later
"""A systemd that runs: natctl's services on a router, as its users have them."""

import re
from pathlib import Path

from .program import SANITIZER_REPORTS
from .wait import eventually

HERE = Path(__file__).resolve().parent
UNITS = HERE.parents[2] / "etc/systemd"
EXAMPLES = HERE.parents[2] / "etc/examples"
SERVICES = [unit.stem for unit in sorted(UNITS.glob("*.service"))]


def only_child(pid):
    """Of a process; nothing yet is a failure."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() or [0]
    assert int(child), f"process {pid} has started none"
    return int(child)


def process_1(pid):
    """Of the namespaces that systemd.sh, which is that process, has made. Until then it starts others."""
    found = only_child(only_child(pid))
    numbers = re.search(r"^NSpid:(.*)", Path(f"/proc/{found}/status").read_text(), re.MULTILINE)[1].split()
    assert numbers[-1] == "1", f"process {found} is {numbers} to itself"
    return found


class Systemd:
    """Process 1 of namespaces that have the router's network. Its root directory is this machine's, of which nothing is
    changed: natctl's programs, units, configuration and state are in memory."""

    def __init__(self, router):
        self.router = router
        space = router.directory / "systemd"
        space.mkdir()
        booted = router.start(
            "systemd", "unshare", "--mount", HERE / "systemd.sh", space, router.lab.binaries, UNITS, router.name
        )
        booted.wait_until(lambda: process_1(booted.pid), "there is a process 1")
        self._pid = process_1(booted.pid)
        is_up = lambda: self.systemctl("is-active", "lab.target", check=False).code == 0
        booted.wait_until(is_up, "it has booted")
        if router.lab.built_with("address"):
            # To look for leaks takes ptrace(2), which no service may use.
            for service in SERVICES:
                self.drop_in(service, "lab", "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")
        router.lab.describe_with(lambda: "\n".join(self.journal(service) for service in SERVICES))

    def run(self, *argv, check=True):
        """A command of somebody who works on this machine."""
        inside = ("nsenter", "--target", self._pid, "--mount", "--pid", "--uts", "--ipc", "--wd=/", "--")
        return self.router.run(*inside, *argv, check=check)

    def systemctl(self, *words, check=True):
        return self.run("systemctl", "--no-pager", *words, check=check)

    def path(self, place):
        """Where the test itself finds a file of it."""
        return Path(f"/proc/{self._pid}/root{place}")

    def configure(self, text):
        self.path("/etc/natctl/site.toml").write_text(text)

    def drop_in(self, service, name, text):
        """As `systemctl edit` leaves it."""
        directory = self.path(f"/etc/systemd/system/{service}.service.d")
        directory.mkdir(exist_ok=True)
        (directory / f"{name}.conf").write_text(text)
        self.systemctl("daemon-reload")

    def show(self, service, name):
        return self.systemctl("show", "--value", "--property", name, service).stdout.strip()

    def process(self, service):
        """The id of its main process, as the machine itself knows it; None: it does not run."""
        return int(self.show(service, "MainPID")) or None

    def status_of(self, service):
        """/proc/PID/status"""
        lines = self.run("cat", f"/proc/{self.process(service)}/status").stdout.splitlines()
        return dict(line.split(":\t", 1) for line in lines)

    def is_active(self, service):
        return self.systemctl("is-active", service, check=False).stdout.strip() == "active"

    def journal(self, service, priority="debug"):
        """What it has said of that priority, or a higher one."""
        which = ("--unit", service, "--identifier", service, "--priority", priority)
        said = self.run("journalctl", "--no-pager", "--quiet", "--output=cat", *which).stdout
        assert not any(mark in said for mark in SANITIZER_REPORTS), said
        return said

    def comes_back(self, service, former):
        """Waits for another main process than that one."""
        def is_back():
            return self.is_active(service) and self.process(service) not in (None, former)

        eventually(is_back, what=f"{service} is started again")
