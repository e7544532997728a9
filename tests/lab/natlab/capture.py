# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeing what passes by on a wire."""

import ipaddress
import socket
import struct
import threading
from collections import namedtuple

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP = 1
PACKET_STATISTICS = 6
PACKET_MR_PROMISC = 1
SO_RCVBUFFORCE = 33

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}

#: Addresses as ipaddress has them; proto is a name above, or a number.
Packet = namedtuple("Packet", "source destination proto")


class Capture:
    """with Capture(namespace, interface) as seen: ... ; seen.packets() then. From the first line of the block on,
    nothing is missed. A packet socket and no tcpdump: it is listening when the constructor returns, and what it has
    seen is there at once. For a trickle of packets, not for bulk: losing any is an error."""

    def __init__(self, namespace, interface):
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
            self._socket.bind((interface, ETH_P_ALL))
            index = socket.if_nametoindex(interface)
        # Of a bridge, so that it shows what passes from port to port.
        membership = struct.pack("IHH8s", index, PACKET_MR_PROMISC, 0, b"")
        self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
        self._socket.settimeout(0.1)
        self._packets = []
        self._lost = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._end.set()
        self._thread.join()

    def packets(self):
        """IP packets so far, in order; all of them when the capture is closed."""
        assert self._lost == 0, f"the capture lost {self._lost} packets"
        return list(self._packets)

    def _listen(self):
        with self._socket:
            while True:
                # Asked before, so that what came until close() is read to the end.
                last_round = self._end.is_set()
                try:
                    while True:
                        if packet := parse(self._socket.recv(128)):
                            self._packets.append(packet)
                except TimeoutError:
                    pass
                self._lost += struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
                if last_round:
                    return


def parse(data):
    """An IP packet without its Ethernet header; None for ARP and the like."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        number, source, destination = data[9], data[12:16], data[16:20]
    elif len(data) >= 40 and data[0] >> 4 == 6:
        number, source, destination = data[6], data[8:24], data[24:40]
    else:
        return None
    return Packet(ipaddress.ip_address(source), ipaddress.ip_address(destination), PROTOCOLS.get(number, number))
