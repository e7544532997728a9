// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "nftctl/site/map_keys.h"
#include "nftctl/site/parts.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

void report_families(Position at, const Prefix& virtual_prefix, const Prefix& real, Diagnostics& diagnostics) {
    diagnostics.error(
        at, fmt::format("IPv4 addresses {} have no room for IPv6 addresses {}", virtual_prefix.text(), real.text()),
        "give it a virtual prefix of IPv6 of the same length: "
        R"(virtual = "fd00:1::/64", real = "fd00:2::/64")");
}

} // namespace

std::optional<Map> parse_map(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "[[map]]", map_keys, diagnostics);
    Map map{.at = reader.at()};

    reader.require("virtual");
    const auto virtual_text = reader.text("virtual");
    const auto virtual_prefix =
        virtual_text ? read_prefix(virtual_text->text, virtual_text->at, diagnostics) : std::nullopt;
    if (virtual_prefix) map.virtual_prefix = *virtual_prefix;
    if (virtual_text) map.virtual_at = virtual_text->at;

    reader.require("real");
    const auto real_text = reader.text("real");
    if (const auto real = real_text ? read_prefix(real_text->text, real_text->at, diagnostics) : std::nullopt) {
        map.real_prefix = *real;
        map.real_at = real_text->at;
        if (virtual_prefix && real->family() != virtual_prefix->family())
            report_families(map.real_at, *virtual_prefix, *real, diagnostics);
    }

    if (const auto name = reader.text("name")) {
        if (read_host_name(name->text, name->at, diagnostics)) map.name = name->text;
        if (virtual_prefix && !virtual_prefix->is_host())
            diagnostics.error(name->at, fmt::format("a name for all of {}", virtual_prefix->text()),
                              "only single hosts have names: give the host a [[map]] of its own, or remove the name");
    }
    if (diagnostics.errors() != errors) return std::nullopt;
    return map;
}

} // namespace natctl
