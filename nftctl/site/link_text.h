// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/site/site.h"

namespace natctl {

/// "dev wg0 via 198.51.100.2", "socks5 127.0.0.1:1080"
std::string link_text(const Link& link);

} // namespace natctl
