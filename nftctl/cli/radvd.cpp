// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/names.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/plan/advertisement.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

/// What makes a LAN one that can be advertised on.
std::string remedy(const Site& site, const std::string& interface) {
    const auto own = unique_local_address(site, interface);
    return fmt::format("{} has no IPv6 address in a prefix of 64 bits; give it one, for example: "
                       "ip address add {}/{} dev {}",
                       interface, own.address.text(), own.length, interface);
}

int run(const Options& options, bool prefixes) {
    const auto site = read_site_quietly(options.config);
    if (!site) return exit_error;
    if (advertised_routes(*site).empty())
        throw SystemError("advertise the peers in", escape(options.config), ENODATA,
                          "none has an IPv6 prefix, and IPv4 hosts need no advertisements");
    const auto facts = make_linux_kernel()->read_facts(*site);
    const auto lans = advertisements(*site, facts);
    const auto usable = [&](const Advertisement& lan) { return !prefixes || !lan.prefixes.empty(); };
    if (std::ranges::none_of(lans, usable))
        throw SystemError("advertise on", "the LANs of " + escape(options.config), EADDRNOTAVAIL,
                          lans.empty() ? "none of their interfaces exists" : remedy(*site, lans.front().interface));
    for (const auto& lan : lans)
        if (!usable(lan)) fmt::print(stderr, "warning: left out: {}\n", remedy(*site, lan.interface));
    fmt::print("{}", radvd_configuration(*site, facts, prefixes));
    return exit_done;
}

} // namespace

void add_radvd(CommandLine& line) {
    const auto routes_only = std::make_shared<bool>(false);
    auto& verb = line.site_verb(
        "radvd", "Print a configuration of radvd that gives hosts of IPv4-only LANs the peers' IPv6 prefixes.",
        "natctl radvd | sudo tee /etc/radvd.conf && sudo systemctl restart radvd",
        [&line, routes_only] { return run(line.options(), !*routes_only); });
    verb.add_flag("--routes-only", *routes_only, "no addresses: the LANs get them from elsewhere");
}

} // namespace natctl
