# SPDX-License-Identifier: GPL-3.0-or-later
"""When the kernel says that an address came or went, and when it says that a table has changed."""

import contextlib
import select
import socket
import struct
import time

NETLINK_NETFILTER = 12
SO_RCVBUFFORCE = 33
#: linux/rtnetlink.h
RTMGRP_IPV4_IFADDR = 0x10
RTM_NEWADDR, RTM_DELADDR = 20, 21
#: linux/netfilter/nfnetlink.h, nf_tables.h: the group NFNLGRP_NFTABLES as a bit, and the last message of each commit.
NFTABLES = 1 << 6
NEWGEN = 10 << 8 | 15


class KernelEvents(contextlib.ExitStack):
    """Of a machine, heard from the start on."""

    def __init__(self, machine):
        super().__init__()
        with machine.inside():
            self._addresses = self._listen(socket.NETLINK_ROUTE, RTMGRP_IPV4_IFADDR)
            self._tables = self._listen(NETLINK_NETFILTER, NFTABLES)

    def _listen(self, protocol, groups):
        listening = self.enter_context(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol))
        listening.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        listening.bind((0, groups))
        listening.setblocking(False)
        return listening

    def forget(self):
        """What was said so far."""
        for listening in (self._addresses, self._tables):
            with contextlib.suppress(BlockingIOError):
                while True:
                    listening.recv(1 << 20)

    def commit(self, deadline=30):
        """The time of the next commit."""
        return self._next(self._tables, {NEWGEN}, time.monotonic() + deadline)

    def address_to_commit(self, deadline=30):
        """Seconds from the next address that comes or goes to the commit that follows it."""
        end = time.monotonic() + deadline
        address = self._next(self._addresses, {RTM_NEWADDR, RTM_DELADDR}, end)
        return self._next(self._tables, {NEWGEN}, end) - address

    @staticmethod
    def _next(listening, kinds, end):
        while select.select([listening], [], [], max(0, end - time.monotonic()))[0]:
            now = time.monotonic()
            message = listening.recv(1 << 20)
            place = 0
            while place + 16 <= len(message):
                length, kind = struct.unpack_from("=IH", message, place)
                if kind in kinds:
                    return now
                place += (length + 3) & ~3
        raise TimeoutError("the kernel has said nothing")
