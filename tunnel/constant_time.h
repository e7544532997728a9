// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

#include "tunnel/socks5.h"

namespace natctl {

/// Whether both are equal, in a time that tells nothing about how much of them is. Up to 255 bytes each.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// User and password at once, so that a wrong user takes as long as a wrong password.
bool matches(const socks5::UserPassword& expected, const socks5::UserPassword& given);

} // namespace natctl
