// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

#include "nftctl/base/address.h"
#include "nftctl/site/nesting.h"

namespace natctl {

/// A range of addresses that is not for everything.
struct ReservedRange {
    Prefix prefix;
    /// As in "NAME addresses".
    std::string_view name;
    bool server_allowed;
    bool gateway_allowed;
    bool listener_allowed;
};

/// RFC 6890 and successors: what must be neither virtual nor real. Two lists look alike and mean other things: what the
/// tunnel dials only when a rule names it outright (tunnel/special_addresses.h), and what is never the Internet's, to
/// which private networks belong (plan/white_list.h).
std::span<const ReservedRange> reserved_ranges();

/// A range that virtual prefixes may lie in, at a price.
struct UnwiseRange {
    Prefix prefix;
    /// Empty for a part of another range that is fine.
    std::string_view warning;
    std::string_view remedy;
};

std::span<const UnwiseRange> unwise_ranges();

} // namespace natctl
