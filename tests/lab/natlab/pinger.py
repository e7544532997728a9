# SPDX-License-Identifier: GPL-3.0-or-later
"""ICMPv6 echo requests whose every field the test chooses."""

import contextlib
import socket
import struct
import time
from collections import namedtuple

ECHO_REQUEST, ECHO_REPLY = 128, 129

#: Of an echo reply; `source` as text.
Reply = namedtuple("Reply", "source sequence data")


class Pinger:
    """A program that pings under an identifier. The kernel makes and verifies the checksums."""

    def __init__(self, machine, identifier):
        self.identifier = identifier
        with machine.inside():
            self._socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def ask(self, address, sequence=1, data=b""):
        header = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, self.identifier, sequence)
        with contextlib.suppress(BlockingIOError):
            self._socket.sendto(header + data, (address, 0))

    def replies(self, seconds):
        """Those that come in so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                message, sender = self._socket.recvfrom(65536)
            except TimeoutError:
                return
            kind, code, _, identifier, sequence = struct.unpack("!BBHHH", message[:8])
            if (kind, code, identifier) == (ECHO_REPLY, 0, self.identifier):
                yield Reply(sender[0], sequence, message[8:])
