// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/check.h"

#include <filesystem>

#include <fmt/format.h>

#include "nftctl/site/checks.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

void check_lengths(const Site& site, Diagnostics& diagnostics) {
    for (const auto& map : site.maps) {
        const auto& [from, to] = std::pair(map.virtual_prefix, map.real_prefix);
        if (from.length() == to.length()) continue;
        diagnostics.error(map.real_at, fmt::format("real {} and virtual {} differ in length", to.text(), from.text()),
                          fmt::format("each virtual address stands for one real address: give both the length {} or {}",
                                      from.length(), to.length()));
    }
}

} // namespace

std::string on_line(const Site& site, Position at, std::uint32_t file, std::uint32_t reported_in) {
    if (at.line == 0 || file == reported_in) return on_line(at);
    const auto name = file == 0 ? std::string("site.toml")
                                : std::filesystem::path(site.maps_files[file - 1].path).filename().string();
    return fmt::format(" (line {} of {})", at.line, escape(name));
}

void check_maps_files(const Site& site, std::span<Diagnostics> files) {
    check_prefixes_of_files(site, files);
    check_names_of_files(site, files);
}

void check_site(const Site& site, Diagnostics& diagnostics) {
    check_lengths(site, diagnostics);
    check_prefixes(site, diagnostics);
    check_names(site, diagnostics);
    check_interfaces(site, diagnostics);
    check_white_list(site, diagnostics);
    check_intercept(site, diagnostics);
    check_listeners(site, diagnostics);
    check_xray(site, diagnostics);
    check_agent(site, diagnostics);
    // Maps with errors are not in the Site.
    if (site.maps.empty() && site.embedding_maps.empty() && site.maps_files.empty() && diagnostics.errors() == 0)
        diagnostics.warning({1, 1},
                            "no [[map]]: no peer can reach a host of this site, and hosts here have no address to "
                            "reach peers from",
                            R"(add [[map]] with virtual = "240.1.1.0/24" and real = "192.168.1.0/24")");
}

} // namespace natctl
