# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace: a machine's own interfaces, addresses, routes, firewall and sockets."""

import contextlib
import ctypes
import os
import shlex
import subprocess
import time
from pathlib import Path

from .program import CommandFailed, Program, Result

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """Made by Lab.namespace(). `label` is the short name for people, `name` the one `ip netns` knows."""

    def __init__(self, lab, name, label):
        self.lab = lab
        self.name = name
        self.label = label
        self.path = Path("/run/netns") / name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.ip("link set lo up")

    def __str__(self):
        return self.label

    @contextlib.contextmanager
    def inside(self):
        """Moves the calling thread into the namespace. Sockets and processes made there stay there."""
        with open("/proc/thread-self/ns/net") as home, open(self.path) as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def run(self, *argv, check=True, text=None, timeout=60, env=None, quiet=False):
        """Runs a command to its end. With `check`, an exit code other than 0 is a failure of the test. The story
        passes over `quiet` ones that succeed."""
        argv = [str(part) for part in argv]
        command = shlex.join(argv)
        begin = time.monotonic()
        try:
            with self.inside():
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**os.environ, **(env or {})},
                    text=True,
                    errors="replace",
                )
            with process:
                try:
                    out, err = process.communicate(text, timeout)
                except BaseException:
                    process.kill()
                    raise
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{self.label}: {command}: still running after {timeout} s") from None
        result = Result(command, process.returncode, out, err, time.monotonic() - begin)
        if not quiet or result.code != 0:
            detail = err if result.code == 0 else (text or "") + out + err
            self.lab.story.tell(self.label, f"{command}  -> {result.code}", detail)
        if check and result.code != 0:
            raise CommandFailed(f"{self.label}: {result}")
        return result

    def ip(self, *lines):
        """Lines of `ip -batch`: all of them or a failure."""
        self.run("ip", "-batch", "-", text="\n".join(lines) + "\n", quiet=True)

    def nft(self, text):
        """Loads rules of somebody else than natctl."""
        self.run("nft", "-f", "-", text=text, quiet=True)

    def start(self, name, *argv, env=None, cwd=None):
        """Starts a program that runs until it is stopped, at the latest when the lab ends."""
        program = Program(name, self, argv, self.lab.directory, self.lab.story, env, cwd)
        self.lab.programs.append(program)
        return program

    def sysctl(self, **settings):
        """sysctl(net__ipv4__ip_forward=1): two underscores for a dot."""
        with self.inside():
            for key, value in settings.items():
                # Looked up in the namespace of the thread that opens it.
                Path("/proc/sys", *key.split("__")).write_text(str(value))

    def listens(self, port, kind="tcp"):
        """Whether a socket waits for clients on the port, on whatever address; `kind`: tcp or udp."""
        waiting = {"tcp": "0A", "udp": "07"}[kind]
        with self.inside():
            for table in (kind, kind + "6"):
                for line in Path("/proc/thread-self/net", table).read_text().splitlines()[1:]:
                    local, _, state = line.split()[1:4]
                    if state == waiting and int(local.rpartition(":")[2], 16) == port:
                        return True
        return False

    def close(self):
        """Ends what this process itself runs inside."""
