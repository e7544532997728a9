# SPDX-License-Identifier: GPL-3.0-or-later
"""Killing a program before a chosen step, by ptrace(2): the program itself knows nothing of it."""

import ctypes
import os
import platform
import signal
import struct
import subprocess

PTRACE_TRACEME, PTRACE_SYSCALL, PTRACE_SETOPTIONS, PTRACE_GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
PTRACE_O_TRACESYSGOOD, PTRACE_O_EXITKILL = 1, 1 << 20
SYSCALL_INFO_ENTRY = 1
WALL = 0x40000000
O_CREAT = 0o100

# Numbers of the system calls that change files, and of those that talk to the kernel's networking.
CALLS = {
    "x86_64": {44: "sendto", 46: "sendmsg", 257: "openat", 74: "fsync", 82: "rename", 83: "mkdir", 87: "unlink"},
    "aarch64": {206: "sendto", 211: "sendmsg", 56: "openat", 82: "fsync", 38: "rename", 34: "mkdir", 35: "unlink"},
}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long] * 4
_libc.ptrace.restype = ctypes.c_long


def run_and_kill(machine, argv, step):
    """Runs the command on the machine and kills it right before its step-th system call (from 1) that leaves a trace in
    the kernel's tables or in files. What it was about to do, or None when it ended before."""
    with machine.inside():
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # The leak detector is a debugger too, and there can be one only.
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
            preexec_fn=lambda: _libc.ptrace(PTRACE_TRACEME, 0, 0, 0),
        )
    with process.stderr:
        about_to = _follow(process, step)
        if about_to is None and process.returncode != 0:
            raise AssertionError(f"{argv}: exit code {process.returncode}\n{process.stderr.read().decode()}")
    machine.lab.story.tell(machine.label, f"{' '.join(map(str, argv))}  -> killed at step {step}: {about_to}")
    return about_to


def _ptrace(request, pid, address=0, data=0):
    result = _libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"ptrace request {request}")
    return result


def _follow(process, step):
    pid = process.pid
    os.waitpid(pid, WALL)
    _ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
    steps, pending = 0, 0
    while True:
        _ptrace(PTRACE_SYSCALL, pid, 0, pending)
        _, status = os.waitpid(pid, WALL)
        if not os.WIFSTOPPED(status):
            process.returncode = os.waitstatus_to_exitcode(status)
            return None
        pending = os.WSTOPSIG(status)
        if pending != signal.SIGTRAP | 0x80:
            pending = 0 if pending == signal.SIGTRAP else pending
            continue
        pending = 0
        about_to = _change(pid)
        if about_to:
            steps += 1
            if steps == step:
                os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, WALL)
                process.returncode = os.waitstatus_to_exitcode(status)
                return about_to


def _change(pid):
    """What the system call that is being entered would change; None for all others."""
    info = ctypes.create_string_buffer(88)
    _ptrace(PTRACE_GET_SYSCALL_INFO, pid, len(info), ctypes.addressof(info))
    kind, number, *arguments = struct.unpack_from("=B23x7Q", info.raw)
    if kind != SYSCALL_INFO_ENTRY:
        return None
    name = CALLS[platform.machine()].get(number)
    if name == "openat":
        return "create a file" if arguments[2] & O_CREAT else None
    if name != "sendto":
        return name
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(arguments[1])
        (kind,) = struct.unpack_from("=4xH", memory.read(6))
    # rtnetlink: NEW, DEL, GET, SET in turn. ctnetlink: what deletes. The rest of what is sent this way are questions.
    if kind < 0x100:
        return f"rtnetlink message {kind}" if kind % 4 in (0, 1) else None
    return "delete a connection" if kind == 0x102 else None
