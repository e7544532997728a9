# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that come and go, and when the kernel says that a table has changed."""

import contextlib
import select
import socket
import struct
import time

NETLINK_NETFILTER = 12
SO_RCVBUFFORCE = 33
#: linux/rtnetlink.h, linux/netlink.h, linux/if_addr.h
RTM_NEWADDR, RTM_DELADDR = 20, 21
NLM_F_REQUEST, NLM_F_CREATE = 0x1, 0x400
IFA_LOCAL = 2
#: linux/netfilter/nfnetlink.h, nf_tables.h: the group NFNLGRP_NFTABLES as a bit, and the last message of each commit.
NFTABLES = 1 << 6
NEWGEN = 10 << 8 | 15


class KernelEvents(contextlib.ExitStack):
    """Of a machine, heard from the start on."""

    def __init__(self, machine, interface="wan0"):
        super().__init__()
        with machine.inside():
            self._routing = self.enter_context(self._socket(socket.NETLINK_ROUTE))
            self._tables = self.enter_context(self._socket(NETLINK_NETFILTER, NFTABLES))
            self.interface = socket.if_nametoindex(interface)

    @staticmethod
    def _socket(protocol, groups=0):
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        opened.bind((0, groups))
        opened.setblocking(False)
        return opened

    def forget(self):
        """Commits so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._tables.recv(1 << 20)

    def commit(self, deadline=30):
        """The time of the next commit."""
        end = time.monotonic() + deadline
        while select.select([self._tables], [], [], max(0, end - time.monotonic()))[0]:
            now = time.monotonic()
            message = self._tables.recv(1 << 20)
            place = 0
            while place + 16 <= len(message):
                length, kind = struct.unpack_from("=IH", message, place)
                if kind == NEWGEN:
                    return now
                place += (length + 3) & ~3
        raise TimeoutError("the kernel has said nothing")

    def address_to_commit(self, kind, address):
        """Seconds from the address that comes (RTM_NEWADDR) to the interface or goes, to the commit that follows it.
        The kernel tells of it while it is asked, so that what this process is late by is counted, never left out."""
        body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, self.interface)
        body += struct.pack("=HH4s", 8, IFA_LOCAL, socket.inet_aton(address))
        request = struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | NLM_F_CREATE, 1, 0) + body
        self.forget()
        begin = time.monotonic()
        self._routing.send(request)
        return self.commit() - begin
