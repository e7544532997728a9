// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/base/error.h"
#include "nftctl/kernel/netlink.h"
#include "nftctl/plan/transaction.h"

namespace natctl::nft {

/// What to tell the user when the kernel refused this change, always with a way out: "cannot add rule to
/// chain pre of table inet natctl: No such file or directory; the kernel lacks nft_tproxy (CONFIG_NFT_TPROXY):
/// modprobe nft_tproxy".
SystemError refusal(const Change& change, const netlink::Answer& answer);

} // namespace natctl::nft
