// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/quote.h"

namespace natctl {

std::vector<Helper> parse_helpers(const TableReader& root, Diagnostics& diagnostics) {
    std::vector<Helper> helpers;
    for (const auto& [text, at] : root.texts("helpers", true)) {
        if (text != "ftp" && text != "sip") {
            diagnostics.error(at, fmt::format("no helper for {}", quote(text)),
                              R"(write "ftp" or "sip": the kernel translates addresses inside of these two)");
            continue;
        }
        const auto helper = text == "ftp" ? Helper::ftp : Helper::sip;
        if (std::ranges::find(helpers, helper) == helpers.end())
            helpers.push_back(helper);
        else
            diagnostics.error(at, fmt::format("helper {} is named twice", text), "name it once");
    }
    return helpers;
}

} // namespace natctl
