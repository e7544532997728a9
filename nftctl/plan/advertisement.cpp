// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/advertisement.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "nftctl/base/fingerprint.h"

namespace natctl {

std::vector<Advertisement> advertisements(const Site& site, const Facts& facts) {
    std::vector<Advertisement> result;
    for (const auto& name : site.lan) {
        const auto* interface = facts.find(name);
        if (!interface) continue;
        Advertisement one{name, {}};
        for (const auto& assigned : interface->addresses) {
            if (assigned.address.family() != Family::ipv6 || assigned.length != 64) continue;
            const Prefix prefix(assigned.address, assigned.length);
            if (std::ranges::find(one.prefixes, prefix) == one.prefixes.end()) one.prefixes.push_back(prefix);
        }
        result.push_back(std::move(one));
    }
    return result;
}

std::vector<Prefix> advertised_routes(const Site& site) {
    std::vector<Prefix> routes;
    for (const auto& peer : site.peers)
        std::ranges::copy_if(peer.virtual_prefixes, std::back_inserter(routes),
                             [](const Prefix& prefix) { return prefix.family() == Family::ipv6; });
    return routes;
}

InterfaceAddress unique_local_address(const Site& site, const std::string& interface) {
    Fingerprint fingerprint;
    fingerprint.add(site.name);
    fingerprint.add("\n");
    fingerprint.add(interface);
    const auto random = fingerprint.bytes();
    // 40 bits that tell the site, 16 that tell the network.
    std::array<std::uint8_t, 16> bytes{0xfd};
    std::copy_n(random.begin(), 7, bytes.begin() + 1);
    bytes.back() = 1;
    return {Address::from_bytes(Family::ipv6, bytes), 64};
}

std::string radvd_configuration(const Site& site, const Facts& facts, bool prefixes) {
    auto text = fmt::format("# The peers of site {}, for hosts of its LANs. Printed by natctl radvd.\n", site.name);
    for (const auto& lan : advertisements(site, facts)) {
        if (prefixes && lan.prefixes.empty()) continue;
        text += fmt::format("\ninterface {}\n{{\n    AdvSendAdvert on;\n    # Not the way to the Internet.\n    "
                            "AdvDefaultLifetime 0;\n",
                            lan.interface);
        if (prefixes)
            for (const auto& prefix : lan.prefixes)
                text += fmt::format("    prefix {} {{ AdvOnLink on; AdvAutonomous on; }};\n", prefix.text());
        for (const auto& route : advertised_routes(site))
            text += fmt::format("    route {} {{ AdvRouteLifetime 1800; RemoveRoute on; }};\n", route.text());
        text += "};\n";
    }
    return text;
}

} // namespace natctl
