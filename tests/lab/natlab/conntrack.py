# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries for connection tracking by the thousand, put into a machine's kernel by netlink. linux/netfilter/
nfnetlink_conntrack.h and nf_conntrack_common.h name the numbers."""

import contextlib
import os
import socket
import struct
from dataclasses import dataclass

NETLINK_NETFILTER = 12
IPCTNL_MSG_CT_NEW = 1 << 8
NLM_F_REQUEST, NLM_F_EXCL, NLM_F_CREATE, NLMSG_ERROR = 1, 0x200, 0x400, 2
NESTED = 0x8000
CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_STATUS, CTA_PROTOINFO = 1, 2, 3, 4
CTA_NAT_SRC, CTA_TIMEOUT, CTA_MARK, CTA_NAT_DST = 6, 7, 8, 13
CONFIRMED_ASSURED_ANSWERED = 0xE
TCP, TCP_ESTABLISHED = 6, 3
SECONDS = 100000


@dataclass(frozen=True)
class Entry:
    """An established TCP connection, IPv4."""

    source: str
    destination: str
    source_port: int
    destination_port: int
    #: What NAT makes of the source, or of the destination; at most one of them.
    snat: str = ""
    dnat: str = ""
    mark: int = 0


def insert(namespace, entries):
    """All of them, or OSError."""
    with namespace.inside():
        netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    with netlink:
        netlink.setblocking(False)
        netlink.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        batch = []
        for entry in entries:
            batch.append(_message(entry))
            if len(batch) == 200:
                _send(netlink, batch)
                batch = []
        if batch:
            _send(netlink, batch)


def _send(netlink, batch):
    netlink.send(b"".join(batch))
    # The kernel has answered before send returns, and answers refusals only.
    with contextlib.suppress(BlockingIOError):
        answer = netlink.recv(1 << 16)
        _, kind = struct.unpack_from("=IH", answer)
        assert kind == NLMSG_ERROR
        error = -struct.unpack_from("=i", answer, 16)[0]
        raise OSError(error, f"conntrack entry: {os.strerror(error)}")


def _message(entry):
    ports = (entry.source_port, entry.destination_port)
    body = struct.pack("=BBH", socket.AF_INET, 0, 0)
    body += _tuple(CTA_TUPLE_ORIG, entry.source, entry.destination, *ports)
    body += _tuple(CTA_TUPLE_REPLY, entry.destination, entry.source, *reversed(ports))
    body += _number(CTA_STATUS, CONFIRMED_ASSURED_ANSWERED) + _number(CTA_TIMEOUT, SECONDS)
    body += _attribute(CTA_PROTOINFO | NESTED, _attribute(1 | NESTED, _attribute(1, bytes([TCP_ESTABLISHED]))))
    if entry.mark:
        body += _number(CTA_MARK, entry.mark)
    for kind, address in ((CTA_NAT_SRC, entry.snat), (CTA_NAT_DST, entry.dnat)):
        if address:
            packed = socket.inet_aton(address)
            body += _attribute(kind | NESTED, _attribute(1, packed) + _attribute(2, packed))
    flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL
    return struct.pack("=IHHII", 16 + len(body), IPCTNL_MSG_CT_NEW, flags, 1, 0) + body


def _tuple(kind, source, destination, source_port, destination_port):
    addresses = _attribute(1, socket.inet_aton(source)) + _attribute(2, socket.inet_aton(destination))
    protocol = _attribute(1, bytes([TCP]))
    protocol += _attribute(2, struct.pack("!H", source_port)) + _attribute(3, struct.pack("!H", destination_port))
    return _attribute(kind | NESTED, _attribute(1 | NESTED, addresses) + _attribute(2 | NESTED, protocol))


def _number(kind, value):
    return _attribute(kind, struct.pack("!I", value))


def _attribute(kind, data):
    size = 4 + len(data)
    return struct.pack("=HH", size, kind) + data + bytes(-size % 4)
