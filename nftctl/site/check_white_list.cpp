// SPDX-License-Identifier: GPL-3.0-or-later
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "nftctl/site/checks.h"

namespace natctl {

namespace {

void check_twice(const std::vector<std::string>& names, const std::vector<Position>& positions, std::string_view kind,
                 Diagnostics& diagnostics) {
    std::unordered_map<std::string_view, Position> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto at = position_of(positions, i);
        const auto [first, is_new] = seen.emplace(names[i], at);
        if (!is_new)
            diagnostics.error(at, fmt::format("{} {} is named twice{}", kind, names[i], on_line(first->second)),
                              "name it once");
    }
}

} // namespace

void check_white_list(const Site& site, Diagnostics& diagnostics) {
    const auto& list = site.white_list;
    check_twice(list.endpoints, list.endpoint_at, "endpoint", diagnostics);
    check_twice(list.interfaces, list.interface_at, "interface", diagnostics);
}

} // namespace natctl
