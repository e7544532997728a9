# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic that never stops, to see what becomes of single packets while things change underneath."""

import contextlib
import itertools
import socket
import struct
import threading

ICMP_ECHO = struct.pack("!BBHHH", 8, 0, 0xF7FE, 1, 0)  # with its checksum
TCP_ACK, TCP_RST, TCP_FIN = 0x10, 0x04, 0x01


class Rain:
    """with Rain(machine, address): ...; all the while the machine sends, every millisecond or so: a datagram from a
    new port, a TCP SYN, a ping, and TCP segments that belong to no connection, which no NAT knows what to do with."""

    def __init__(self, machine, address):
        self._address = address
        self.sent = 0
        with machine.inside():
            self._udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(50)]
            self._icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            self._tcp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self._machine = machine
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._pour, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
        for used in (*self._udp, self._icmp, self._tcp):
            used.close()

    def _pour(self):
        for number in itertools.count():
            # What the network answers to the last packet is reported with the next one.
            with contextlib.suppress(OSError):
                self._udp[number % len(self._udp)].sendto(b"drip", (self._address, 7007))
            with contextlib.suppress(OSError):
                self._icmp.sendto(ICMP_ECHO, (self._address, 0))
            with contextlib.suppress(OSError):
                flags = (TCP_ACK, TCP_RST, TCP_FIN | TCP_ACK)[number % 3]
                self._tcp.sendto(self._segment(20000 + number % 20000, flags), (self._address, 0))
            with contextlib.suppress(OSError):
                self._syn()
            self.sent += 4
            if self._end.wait(0.001):
                return

    def _segment(self, port, flags):
        # The checksum is wrong, as conntrack's own check would have it; routers forward it all the same.
        return struct.pack("!HHIIBBHHH", port, 7007, 1, 1, 5 << 4, flags, 1024, 0, 0)

    def _syn(self):
        with self._machine.inside(), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as knocking:
            knocking.setblocking(False)
            knocking.connect_ex((self._address, 7007))
