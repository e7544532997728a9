// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "nftctl/site/draft.h"

namespace natctl {

namespace {

/// A basic string of TOML. Control characters become \u00XX: nothing can leave its quotes.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            result += {'\\', c};
        else if (byte < 0x20 || byte == 0x7f)
            result += fmt::format("\\u{:04X}", byte);
        else
            result += c;
    }
    return result + '"';
}

std::string list(const std::vector<std::string>& values) {
    if (values.size() == 1) return quoted(values.front());
    std::string result = "[";
    for (const auto& value : values) result += (result.size() > 1 ? ", " : "") + quoted(value);
    return result + "]";
}

std::string text_of(const Link& link) {
    if (const auto* socks = std::get_if<SocksLink>(&link))
        return fmt::format("{{ socks5 = {} }}", quoted(socks->server.text()));
    const auto& dev = std::get<DevLink>(link);
    const auto& via = dev.via4 ? dev.via4 : dev.via6;
    if (!via) return fmt::format("{{ dev = {} }}", quoted(dev.dev));
    return fmt::format("{{ dev = {}, via = {} }}", quoted(dev.dev), quoted(via->text()));
}

std::string text_of(const Peer& peer) {
    std::vector<std::string> prefixes;
    for (const auto& prefix : peer.virtual_prefixes) prefixes.push_back(prefix.text());
    return fmt::format("[[peer]]\nname    = {}\nvirtual = {}\nlink    = {}\n", quoted(peer.name), list(prefixes),
                       text_of(peer.links.front()));
}

std::string lan_part(const Draft& draft) {
    std::vector<std::string> interfaces;
    for (const auto& lan : draft.lans)
        if (std::ranges::find(interfaces, lan.interface) == interfaces.end()) interfaces.push_back(lan.interface);
    std::string text = fmt::format("site = {}\n\n# The interfaces that the hosts are on.", quoted(draft.site));
    if (draft.lans_found)
        text += " These were found: they have private addresses and are not on the\n"
                "# way to the Internet. Remove what is no LAN, and its [[map]] below.";
    return text + fmt::format("\nlan  = {}\n", list(interfaces));
}

std::string map_part(const Draft& draft) {
    std::string text =
        "\n# What other sites call our hosts: the same host part under another prefix of the same length. "
        "No two sites may\n# have the same virtual prefix, and no site may use it for anything else.\n";
    const auto proposed = [](const DraftLan& lan) { return proposal_range().contains(*lan.virtual_prefix); };
    if (std::ranges::any_of(draft.lans, proposed))
        text += "# 198.18.0.0/15 is set aside for laboratories and routed nowhere. What init takes of it follows from "
                "the site's\n# name: change it where another site has the same already, and tell it to the peers.\n";
    for (const auto& lan : draft.lans)
        // The interface of a bad name stands in `lan` alone, where it is reported.
        text += fmt::format("[[map]]\nvirtual = {}\nreal    = {}\n\n", quoted(lan.virtual_prefix->text()),
                            quoted(lan.real.text()));
    return text;
}

std::string peer_part(const Draft& draft) {
    std::string text = "# Other sites: what we call their LANs, which is `virtual` in their site.toml, and how to get "
                       "there.\n";
    for (const auto& peer : draft.peers) text += text_of(peer) + "\n";
    if (!draft.peers.empty()) return text;
    text += "# Nothing is known of them yet. Remove the # of one peer with one link, and change what it says.\n";
    // Names of interfaces that were found may hold anything but a line break, which quoted() would escape.
    const std::string dev = draft.overlays.empty() ? "wg0" : draft.overlays.front();
    if (draft.overlays.size() > 1) text += "# These interfaces may lead to them: " + list(draft.overlays) + "\n";
    text +=
        fmt::format("#[[peer]]\n"
                    "#name    = \"b\"\n"
                    "#virtual = \"198.18.2.0/24\"\n"
                    "#link    = {{ dev = {} }} # WireGuard, ZeroTier or another overlay{}\n"
                    "#link    = {{ dev = \"eth1\", via = \"198.51.100.2\" }} # Ethernet, and its router there\n"
                    "#link    = {{ socks5 = \"198.51.100.2:1080\" }} # its natctl-tunnel, or a proxy: TCP and UDP\n\n",
                    quoted(dev), draft.overlays.empty() ? "" : "; found here");
    return text;
}

/// A peer whose tunnel we reach over the network will want to reach ours.
std::string tunnel_part(const Draft& draft) {
    for (const auto& peer : draft.peers) {
        const auto* socks = std::get_if<SocksLink>(&peer.links.front());
        if (socks == nullptr || socks->server.address.is_loopback()) continue;
        const auto& address = socks->server.address;
        return fmt::format("# For peers to reach us in the same way: our address on the way to them, and theirs.\n"
                           "#[[tunnel.socks5]]\n"
                           "#listen = \"198.51.100.1:1080\"\n"
                           "#allow  = [\"{}\"]\n",
                           Prefix(address, address.bits()).text());
    }
    return {};
}

} // namespace

std::string write_draft(const Draft& draft, const std::string& path) {
    // A path may hold a line break, which would end the comment.
    const bool plain =
        std::ranges::none_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x21 || c == 0x7f; });
    const std::string shown = plain ? path : "site.toml";
    std::string text = fmt::format("# Begun by natctl init. All keys are explained in site.toml(5).\n"
                                   "# Check it: natctl check {0}\n"
                                   "# See what it would change: natctl plan {0}\n"
                                   "# Use it: natctl apply {0}\n\n",
                                   shown) +
                       lan_part(draft) + map_part(draft) + peer_part(draft) + tunnel_part(draft);
    while (text.ends_with("\n\n")) text.pop_back();
    return text;
}

} // namespace natctl
