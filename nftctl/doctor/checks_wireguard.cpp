// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "nftctl/doctor/checks.h"
#include "nftctl/site/each_link.h"

namespace natctl::doctor {

namespace {

bool allows(const WireGuardPeer& peer, const Prefix& prefix) {
    return std::ranges::any_of(peer.allowed_ips, [&](const Prefix& allowed) { return allowed.contains(prefix); });
}

/// Which of the device's peers is this peer of the site: the only one, or the only one that carries any of its
/// prefixes.
const WireGuardPeer* counterpart(const WireGuardDevice& device, const Peer& peer) {
    if (device.peers.size() == 1) return &device.peers.front();
    const WireGuardPeer* found = nullptr;
    for (const WireGuardPeer& candidate : device.peers) {
        const bool carries =
            std::ranges::any_of(peer.virtual_prefixes, [&](const Prefix& prefix) { return allows(candidate, prefix); });
        if (!carries) continue;
        if (found != nullptr) return nullptr;
        found = &candidate;
    }
    return found;
}

Finding lacking(const WireGuardDevice& device, const Peer& peer, const std::vector<Prefix>& missing) {
    std::string list;
    for (const Prefix& prefix : missing) list += (list.empty() ? "" : ", ") + prefix.text();
    Finding finding{.grade = Grade::error,
                    .what = "AllowedIPs of " + device.name + " lack " + list + " of peer " + peer.name,
                    .why = "WireGuard drops what goes there and what comes from there, without a word"};
    const WireGuardPeer* const counter = counterpart(device, peer);
    if (counter == nullptr) {
        finding.advice = "add them to AllowedIPs of that peer: wg set " + device.name + " peer KEY allowed-ips LIST";
        return finding;
    }
    std::string all;
    for (const Prefix& prefix : counter->allowed_ips) all += (all.empty() ? "" : ",") + prefix.text();
    for (const Prefix& prefix : missing) all += (all.empty() ? "" : ",") + prefix.text();
    finding.command =
        "wg set " + shell_word(device.name) + " peer " + shell_word(counter->public_key) + " allowed-ips " + all;
    finding.advice = "write it to AllowedIPs in the interface's configuration too, with Table = off";
    return finding;
}

} // namespace

Findings check_wireguard(const Site& site, const Examination& seen) {
    Findings findings;
    for_each_link<DevLink>(site, [&](const Peer& peer, const DevLink& link) {
        const auto device = std::ranges::find(*seen.wireguard, link.dev, &WireGuardDevice::name);
        if (device == seen.wireguard->end()) {
            const auto known = std::ranges::find(*seen.devices, link.dev, &Device::name);
            const bool is_wireguard = known != seen.devices->end() && known->kind == "wireguard";
            if (is_wireguard)
                findings.push_back(
                    unchecked("AllowedIPs of " + link.dev +
                              (seen.wireguard.failure.empty() ? " were not told" : ": " + seen.wireguard.failure)));
            return;
        }
        std::vector<Prefix> missing;
        for (const Prefix& prefix : peer.virtual_prefixes)
            if (std::ranges::none_of(device->peers, [&](const auto& other) { return allows(other, prefix); }))
                missing.push_back(prefix);
        if (!missing.empty()) findings.push_back(lacking(*device, peer, missing));
    });
    return findings;
}

} // namespace natctl::doctor
