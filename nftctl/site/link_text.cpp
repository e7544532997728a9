// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/link_text.h"

namespace natctl {

std::string link_text(const Link& link) {
    if (const auto* socks = std::get_if<SocksLink>(&link)) return "socks5 " + socks->server.text();
    const auto& dev = std::get<DevLink>(link);
    std::string result = "dev " + dev.dev;
    if (dev.via4) result += " via " + dev.via4->text();
    if (dev.via6) result += " via " + dev.via6->text();
    return result;
}

} // namespace natctl
