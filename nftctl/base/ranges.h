// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/base/address.h"

namespace natctl {

/// Sorted, with overlapping and neighbouring ranges joined: what a kernel interval set accepts.
std::vector<AddressRange> merged(std::vector<AddressRange> ranges);

} // namespace natctl
