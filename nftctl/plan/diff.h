// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "nftctl/plan/transaction.h"

namespace natctl {

/// What becomes of an element whose lifetime alone is another.
enum class OtherLifetime : std::uint8_t { kept, replaced };

/// What has to be done so that the kernel, which holds `actual`, holds `wanted`. Empty when they are equal. Elements
/// and rules are changed one by one and chain by chain; where a set or chain itself differs, the table is made anew in
/// the same atomic batch. Lifetimes that differ by less than a quarter of a second are the same: both have been passing
/// since they were read.
Transaction diff(const Plan& actual, const Plan& wanted, OtherLifetime other = OtherLifetime::kept);

} // namespace natctl
