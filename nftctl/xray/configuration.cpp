// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/xray/configuration.h"

#include <algorithm>
#include <vector>

#include "nftctl/site/xray.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* vless_tag = "vless";

Json prefixes_text(const std::vector<Prefix>& prefixes) {
    Json list = Json::array();
    for (const auto& prefix : prefixes) list.push_back(prefix.text());
    return list;
}

/// Those of the maps, each once, without what lies inside another.
std::vector<Prefix> own_prefixes(const Site& site) {
    std::vector<Prefix> all;
    for (const auto& map : site.maps) all.push_back(map.virtual_prefix);
    for (const auto& map : site.embedding_maps) all.push_back(map.virtual_prefix);
    // Sorted, an outer prefix stands before what is inside.
    std::ranges::sort(all);
    std::vector<Prefix> outer;
    for (const auto& prefix : all)
        if (outer.empty() || !outer.back().contains(prefix)) outer.push_back(prefix);
    return outer;
}

/// What Xray itself sends is neither intercepted nor handed to the tunnel again.
Json sockopt(const Site& site) { return {{"mark", site.marks.bypass().value}}; }

std::string inbound_tag(const Endpoint& listen) { return "socks-" + listen.text(); }

/// Those who know one of several passwords may use the inbound, if the links have any.
Json socks_inbound(const Site& site, const Endpoint& listen, const XraySecrets& secrets) {
    const auto address = listen.address.text();
    Json accounts = Json::array();
    for (const auto& peer : site.peers)
        if (const auto* link = xray_link(peer);
            link != nullptr && link->server == listen && link->credentials.has_value()) {
            const Json account{{"user", link->credentials->user},
                               {"pass", secrets.at(link->credentials->password_file)}};
            if (std::ranges::find(accounts, account) == accounts.end()) accounts.push_back(account);
        }
    Json settings{{"auth", accounts.empty() ? "noauth" : "password"}};
    if (!accounts.empty()) settings["accounts"] = accounts;
    settings["udp"] = true;
    settings["ip"] = address;
    return {{"tag", inbound_tag(listen)},
            {"listen", address},
            {"port", listen.port},
            {"protocol", "socks"},
            {"settings", settings}};
}

Json vless_inbound(const XrayListener& xray, const XraySecrets& secrets) {
    const Json clients = Json::array({{{"id", secrets.at(xray.id_file)}}});
    return {{"tag", vless_tag},
            {"listen", xray.listen.address.text()},
            {"port", xray.listen.port},
            {"protocol", "vless"},
            {"settings", {{"clients", clients}, {"decryption", "none"}}},
            {"streamSettings", {{"network", "tcp"}}}};
}

Json vless_outbound(const Site& site, const Peer& peer, const XraySecrets& secrets) {
    const Json users = Json::array({{{"id", secrets.at(peer.xray->id_file)}, {"encryption", "none"}}});
    const Json servers = Json::array({{{"address", peer.xray->host}, {"port", peer.xray->port}, {"users", users}}});
    return {{"tag", peer.name},
            {"protocol", "vless"},
            {"settings", {{"vnext", servers}}},
            {"streamSettings", {{"network", "tcp"}, {"sockopt", sockopt(site)}}}};
}

/// Xray 26.4 and later refuses private addresses and 224.0.0.0/3 to what comes in by VLESS, unless they are allowed
/// here.
Json freedom(const Site& site, const std::vector<Prefix>& own, XrayKind kind) {
    Json settings = Json::object();
    if (kind == XrayKind::xray)
        settings["finalRules"] = Json::array({{{"action", "allow"}, {"ip", prefixes_text(own)}}});
    return {{"tag", xray_direct},
            {"protocol", "freedom"},
            {"settings", settings},
            {"streamSettings", {{"sockopt", sockopt(site)}}}};
}

Json rule(const std::string& inbound, const std::vector<Prefix>& to, std::string_view outbound) {
    return {{"type", "field"},
            {"inboundTag", Json::array({inbound})},
            {"ip", prefixes_text(to)},
            {"outboundTag", outbound}};
}

} // namespace

bool uses_xray(const Site& site) {
    return site.xray || std::ranges::any_of(site.peers, [](const Peer& peer) { return peer.xray.has_value(); });
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        constexpr std::string_view digits = "0123456789abcdefABCDEF";
        if (hyphen ? text[i] != '-' : digits.find(text[i]) == std::string_view::npos) return false;
    }
    return true;
}

Json xray_configuration(const Site& site, const XraySecrets& secrets, XrayKind kind) {
    Json inbounds = Json::array();
    // The first outbound is the one for whatever no rule names.
    Json outbounds = Json::array({{{"tag", xray_blocked}, {"protocol", "blackhole"}}});
    Json rules = Json::array();
    std::vector<Endpoint> listening;
    for (const auto& peer : site.peers) {
        const auto* link = xray_link(peer);
        if (link == nullptr) continue;
        if (std::ranges::find(listening, link->server) == listening.end()) {
            inbounds.push_back(socks_inbound(site, link->server, secrets));
            listening.push_back(link->server);
        }
        outbounds.push_back(vless_outbound(site, peer, secrets));
        rules.push_back(rule(inbound_tag(link->server), peer.virtual_prefixes, peer.name));
    }
    // Without a map there is nothing to reach, and an empty list of addresses would mean all of them.
    const auto own = own_prefixes(site);
    if (site.xray) inbounds.push_back(vless_inbound(*site.xray, secrets));
    if (site.xray && !own.empty()) {
        outbounds.push_back(freedom(site, own, kind));
        rules.push_back(rule(vless_tag, own, xray_direct));
    }
    return {{"log", {{"loglevel", "warning"}, {"access", "none"}}},
            {"inbounds", inbounds},
            {"outbounds", outbounds},
            {"routing", {{"domainStrategy", "AsIs"}, {"rules", rules}}}};
}

} // namespace natctl
