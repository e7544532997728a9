// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/connection.h"

namespace natctl {

namespace {

bool has(std::uint32_t bits, const std::optional<Mark>& wanted) {
    return !wanted || (bits & wanted->mask) == wanted->value;
}

bool is(const Address& address, const std::optional<Address>& wanted) { return !wanted || address == *wanted; }

} // namespace

bool TupleFilter::matches(const Tuple& tuple) const {
    return is(tuple.source, source) && is(tuple.destination, destination);
}

bool ConnectionFilter::matches(const Connection& connection) const {
    return (!family || *family == connection.family()) && has(connection.mark, mark) &&
           has(connection.status, status) && original.matches(connection.original) && reply.matches(connection.reply);
}

} // namespace natctl
