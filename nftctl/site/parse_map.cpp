// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey map_keys[] = {
    {"virtual", "a prefix", R"(virtual = "240.1.1.0/24")"},
    {"real", "a prefix", R"(real = "192.168.1.0/24")"},
    {"name", "text", R"(name = "printer")"},
};

void report_families(Position at, std::string_view found, Diagnostics& diagnostics) {
    diagnostics.error(at, fmt::format("{}: this version does not translate between IPv6 and IPv4 yet", found),
                      "write one [[map]] for each real prefix, with a virtual prefix of the same family and length: "
                      R"(virtual = "240.1.2.0/24", real = "10.10.10.0/24")");
}

/// `family` is that of the virtual prefix.
std::optional<Prefix> read_real(const TableReader& reader, std::optional<Family> family, Diagnostics& diagnostics) {
    const auto* node = reader.require("real");
    if (node == nullptr) return std::nullopt;
    if (node->is_array() && family == Family::ipv6) {
        report_families(begin_of(node->source()), "\"real\" is a list", diagnostics);
        return std::nullopt;
    }
    const auto real = reader.text("real");
    return real ? read_prefix(real->text, real->at, diagnostics) : std::nullopt;
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

    const auto family = virtual_prefix ? std::optional(virtual_prefix->family()) : std::nullopt;
    if (const auto real = read_real(reader, family, diagnostics)) {
        map.real_prefix = *real;
        map.real_at = begin_of(reader.find("real")->source());
        if (virtual_prefix && real->family() != virtual_prefix->family())
            report_families(map.real_at, fmt::format("{} to {}", virtual_prefix->text(), real->text()), diagnostics);
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
