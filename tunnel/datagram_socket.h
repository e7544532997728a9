// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// A UDP socket of our own, marked (0: not), with room for bursts, for a ReceiveBatch to read. Throws SystemError.
Fd open_datagram_socket(Family family, std::uint32_t mark);

/// Bytes that may wait at a socket. The kernel gives less to those without CAP_NET_ADMIN.
void make_room(int fd, int bytes);

/// What comes to it may come many datagrams in one piece (UDP_GRO): for sockets that a ReceiveBatch reads.
void take_pieces(int fd);

/// Lets no datagram into the socket: for those that only send.
void take_nothing(int fd);

} // namespace natctl
