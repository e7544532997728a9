// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "nftctl/base/fd.h"
#include "nftctl/base/mark.h"

namespace natctl {

// All need CAP_NET_RAW and CAP_NET_ADMIN, and throw SystemError.

/// Takes a copy of each ICMPv6 echo request that the kernel delivers under the mark `handed_over`, and says where it
/// was sent to (IPV6_RECVPKTINFO). Sends, under `bypass_mark` (0: none) and any source address.
Fd open_request6_socket(const Mark& handed_over, std::uint32_t bypass_mark);

/// Sends ICMP, and takes a copy of each echo reply to this machine.
Fd open_reply4_socket(std::uint32_t bypass_mark);

} // namespace natctl
