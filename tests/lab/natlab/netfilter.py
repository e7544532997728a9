# SPDX-License-Identifier: GPL-3.0-or-later
"""What nft does not tell, the generation of the rules of a machine, and sets as Python has them."""

import json
import socket
import struct

NETLINK_NETFILTER = 12
NFNL_SUBSYS_NFTABLES = 10
NFT_MSG_GETGEN = 16
NFTA_GEN_ID = 1
NLM_F_REQUEST = 1
# struct nlmsghdr and struct nfgenmsg
HEADER = struct.Struct("=IHHII")
GENERIC = struct.Struct("=BBH")


def generation(namespace):
    """linux/netfilter/nf_tables.h: NFT_MSG_GETGEN."""
    with namespace.inside():
        netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    with netlink:
        size = HEADER.size + GENERIC.size
        kind = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN
        netlink.send(HEADER.pack(size, kind, NLM_F_REQUEST, 1, 0) + GENERIC.pack(socket.AF_UNSPEC, 0, 0))
        answer = netlink.recv(4096)
    offset = size
    while offset < len(answer):
        length, attribute = struct.unpack_from("=HH", answer, offset)
        if attribute == NFTA_GEN_ID:
            return struct.unpack_from("!I", answer, offset + 4)[0]
        offset += (length + 3) & ~3
    raise OSError("the kernel told no generation")


def elements(namespace, name):
    """Of a set of natctl's, as nft writes them: addresses, prefixes and ranges."""
    listed = json.loads(namespace.run("nft", "-j", "list", "set", "inet", "natctl", name, quiet=True).stdout)
    found = next(part["set"] for part in listed["nftables"] if "set" in part).get("elem", [])
    return {text_of(element) for element in found}


def text_of(element):
    if isinstance(element, str):
        return element
    if "elem" in element:
        return text_of(element["elem"]["val"])
    if "prefix" in element:
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    return "-".join(element["range"])
