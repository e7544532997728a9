// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/names.h"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/session.h"
#include "nftctl/plan/whose.h"
#include "nftctl/site/load.h"

namespace natctl {

namespace {

const Map& host_of(const Site* site, const std::string& name) {
    if (!site)
        throw std::invalid_argument(
            fmt::format("cannot look up {}: names need a site.toml without mistakes; natctl check names them", name));
    const auto* map = find_name(*site, name);
    if (!map)
        throw std::invalid_argument(fmt::format("cannot look up {}: no [[map]] of site.toml has that name; of hosts of "
                                                "other sites only their own routers know the names: give an address",
                                                name));
    return *map;
}

} // namespace

std::optional<Site> site_for_names(const std::string& config) {
    try {
        return load_site(config).site;
    } catch (const SystemError&) {
        return std::nullopt;
    }
}

std::optional<Site> read_site_quietly(const std::string& config) {
    auto site = site_for_names(config);
    return site ? std::move(site) : read_site(config);
}

Address destination_of(const Site* site, const std::string& text) {
    const auto address = Address::parse(text);
    return address ? *address : host_of(site, text).virtual_prefix.network();
}

Address source_of(const Site* site, const std::string& text) {
    const auto address = Address::parse(text);
    return address ? *address : host_of(site, text).real_prefix.network();
}

} // namespace natctl
