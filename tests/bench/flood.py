# SPDX-License-Identifier: GPL-3.0-or-later
"""Small UDP datagrams as fast as one core can send them: 1,000 of them in a system call, so that the sender itself is
little of what it takes. On veth the same core carries a datagram through all machines to its end before the call goes
on to the next one: what is measured is the whole path, one core wide."""

import ctypes
import os
import socket
import struct
import time
from dataclasses import dataclass

BATCH = 1000
PAYLOAD = bytes(22)
FIRST_PORT = 10000


@dataclass
class Sent:
    datagrams: int
    seconds: float
    #: Of the sending thread; less than `seconds` where others wanted the processor.
    cpu_seconds: float


class _Part(ctypes.Structure):
    """struct iovec"""

    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("parts", ctypes.POINTER(_Part)),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("sent", ctypes.c_uint32),
    ]


_libc = ctypes.CDLL(None, use_errno=True)


class Flood:
    """From `machine`, from the address `source` to the `ports` from FIRST_PORT on of `target`, in turn."""

    def __init__(self, machine, source, target, ports):
        assert ports == 1 or ports % BATCH == 0
        with machine.inside():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        names = [
            struct.pack("=H", socket.AF_INET)
            + struct.pack("!H", FIRST_PORT + (number % ports))
            + socket.inet_aton(target)
            + bytes(8)
            for number in range(max(ports, BATCH))
        ]
        self._names = ctypes.create_string_buffer(b"".join(names), 16 * len(names))
        self._payload = ctypes.create_string_buffer(PAYLOAD, len(PAYLOAD))
        self._part = _Part(ctypes.addressof(self._payload), len(PAYLOAD))
        base = ctypes.addressof(self._names)
        self._messages = (_Message * len(names))(
            *(_Message(base + 16 * i, 16, ctypes.pointer(self._part), 1, None, 0, 0, 0, 0) for i in range(len(names)))
        )
        self._batches = [
            ctypes.byref(self._messages, ctypes.sizeof(_Message) * first) for first in range(0, len(names), BATCH)
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def once(self):
        """One datagram to each port."""
        return self._send(lambda: False)

    def for_seconds(self, seconds):
        end = time.perf_counter() + seconds
        return self._send(lambda: time.perf_counter() < end)

    def _send(self, go_on):
        descriptor, sent = self._socket.fileno(), 0
        begin, cpu_begin = time.perf_counter(), time.thread_time()
        while True:
            for batch in self._batches:
                count = _libc.sendmmsg(descriptor, batch, BATCH, 0)
                if count < 0:
                    raise OSError(ctypes.get_errno(), f"sendmmsg: {os.strerror(ctypes.get_errno())}")
                sent += count
            if not go_on():
                return Sent(sent, time.perf_counter() - begin, time.thread_time() - cpu_begin)
