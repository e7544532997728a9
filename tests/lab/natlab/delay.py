# SPDX-License-Identifier: GPL-3.0-or-later
"""A long cable: what goes through it arrives later. (Not every kernel has sch_netem.)"""

import collections
import contextlib
import json
import os
import select
import socket
import threading
import time

ETH_P_ALL = 3


class Delay:
    """with Delay(machine, interface, seconds): frames between the interface and its switch take so long each way.
    `others`: (machine, interface) on the same switch whose packets go that way."""

    def __init__(self, machine, interface, seconds, others=()):
        self._machine, self._interface, self._seconds = machine, interface, seconds
        self._switches = machine.lab.network.switches
        # Frames leave the kernel here: they must be complete, and none larger than the wire.
        for end, name in ((machine, interface), *others):
            end.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off", quiet=True)

    def __enter__(self):
        index = json.loads(self._machine.run("ip", "-j", "link", "show", self._interface, quiet=True).stdout)[0]
        links = json.loads(self._switches.run("ip", "-j", "link", quiet=True).stdout)
        self._port = next(link["ifname"] for link in links if link["ifindex"] == index["link_index"])
        self._switch = next(link["master"] for link in links if link["ifname"] == self._port)
        self._switches.ip(
            f"link set {self._port} nomaster",
            "link add delay0 type veth peer name delay1",
            f"link set delay1 master {self._switch} up",
            "link set delay0 up",
        )
        for name in ("delay0", "delay1"):
            self._switches.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off", quiet=True)
        self._ends = [self._open(self._port), self._open("delay0")]
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.close(self._stop)
        self._thread.join()
        os.close(self._wake)
        for end in self._ends:
            end.close()
        self._switches.ip("link del delay0", f"link set {self._port} master {self._switch}")

    def _open(self, interface):
        with self._switches.inside():
            end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        end.bind((interface, ETH_P_ALL))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        end.setblocking(False)
        return end

    def _carry(self):
        waiting = collections.deque()
        while True:
            patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            ready, _, _ = select.select([self._wake, *self._ends], [], [], patience)
            if self._wake in ready:
                return
            for end in ready:
                self._take(end, waiting)
            while waiting and waiting[0][0] <= time.monotonic():
                _, end, frame = waiting.popleft()
                with contextlib.suppress(OSError):  # a full queue loses frames, as wires do
                    end.send(frame)

    def _take(self, end, waiting):
        other = self._ends[1] if end is self._ends[0] else self._ends[0]
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, (_, _, kind, *_) = end.recvfrom(65536)
                # What we send ourselves is shown to us as well.
                if kind != socket.PACKET_OUTGOING:
                    waiting.append((time.monotonic() + self._seconds, other, frame))
