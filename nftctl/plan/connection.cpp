// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/connection.h"

namespace natctl {

namespace {

bool has(std::uint32_t bits, const std::optional<Mark>& wanted) {
    return !wanted || (bits & wanted->mask) == wanted->value;
}

} // namespace

bool ConnectionFilter::matches(const Connection& connection) const {
    return (!family || *family == connection.family()) && has(connection.mark, mark) && has(connection.status, status);
}

} // namespace natctl
