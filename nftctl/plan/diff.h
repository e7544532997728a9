// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/plan/transaction.h"

namespace natctl {

/// What has to be done so that the kernel, which holds `actual`, holds `wanted`. Empty when they are equal. Elements
/// and rules are changed one by one and chain by chain; where a set or chain itself differs, the table is made anew in
/// the same atomic batch.
Transaction diff(const Plan& actual, const Plan& wanted);

} // namespace natctl
