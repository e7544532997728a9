// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "nftctl/site/checks.h"
#include "nftctl/site/nesting.h"
#include "nftctl/site/ranges.h"

namespace natctl {

namespace {

Prefix host_prefix(const Address& address) { return {address, address.bits()}; }

void add_link(std::vector<PlacedPrefix>& entries, const Link& link, std::uint32_t owner) {
    if (const auto* socks = std::get_if<SocksLink>(&link)) {
        entries.push_back({host_prefix(socks->server.address), PrefixRole::server, owner, socks->at});
        return;
    }
    const auto& dev = std::get<DevLink>(link);
    if (dev.via4) entries.push_back({host_prefix(*dev.via4), PrefixRole::gateway, owner, dev.via4_at});
    if (dev.via6) entries.push_back({host_prefix(*dev.via6), PrefixRole::gateway, owner, dev.via6_at});
    if (dev.probe) entries.push_back({host_prefix(*dev.probe), PrefixRole::probe, owner, dev.probe_at});
}

void add_list(std::vector<PlacedPrefix>& entries, const std::vector<Prefix>& prefixes,
              const std::vector<Position>& positions, PrefixRole role, std::uint32_t owner = 0) {
    for (std::size_t i = 0; i < prefixes.size(); ++i)
        entries.push_back({prefixes[i], role, owner, position_of(positions, i)});
}

PlacedPrefix virtual_of(const Map& map, std::uint32_t index) {
    return {map.virtual_prefix, PrefixRole::own_virtual, index, map.virtual_at, map.file};
}

PlacedPrefix real_of(const Map& map, std::uint32_t index) {
    return {map.real_prefix, PrefixRole::own_real, index, map.real_at, map.file};
}

/// Single IPv4 hosts, of which there may be hundreds of thousands, are kept as numbers: the address above, the index of
/// the map below. They sort many times faster so, and take a fifth of the room.
bool is_kept_as_number(const Map& map) { return map.is_host() && map.virtual_prefix.family() == Family::ipv4; }

/// One side of these maps, in the order of stands_before(): later maps stand later.
class HostQueue {
public:
    HostQueue(const Site& site, Prefix Map::*side, PlacedPrefix (*place)(const Map&, std::uint32_t))
        : site_(site),
          place_(place) {
        hosts_.reserve(site.maps.size());
        for (std::uint32_t i = 0; i < site.maps.size(); ++i)
            if (is_kept_as_number(site.maps[i]))
                hosts_.push_back(std::uint64_t{(site.maps[i].*side).network().v4_value()} << 32 | i);
        std::ranges::sort(hosts_);
        advance();
    }

    /// nullptr at the end.
    const PlacedPrefix* first() const { return first_ ? &*first_ : nullptr; }
    void advance() {
        first_.reset();
        if (next_ == hosts_.size()) return;
        const auto index = static_cast<std::uint32_t>(hosts_[next_++]);
        first_ = place_(site_.maps[index], index);
    }

private:
    const Site& site_;
    PlacedPrefix (*place_)(const Map&, std::uint32_t);
    std::vector<std::uint64_t> hosts_;
    std::size_t next_ = 0;
    std::optional<PlacedPrefix> first_;
};

/// Everything but what is kept as numbers, sorted.
std::vector<PlacedPrefix> collect(const Site& site) {
    std::vector<PlacedPrefix> entries;
    for (std::uint32_t i = 0; i < site.maps.size(); ++i) {
        const auto& map = site.maps[i];
        if (is_kept_as_number(map)) continue;
        entries.push_back(virtual_of(map, i));
        entries.push_back(real_of(map, i));
    }
    // Embedding maps are numbered after the others.
    for (std::uint32_t i = 0; i < site.embedding_maps.size(); ++i) {
        const auto& map = site.embedding_maps[i];
        const auto owner = static_cast<std::uint32_t>(site.maps.size()) + i;
        entries.push_back({map.virtual_prefix, PrefixRole::own_virtual, owner, map.virtual_at});
        add_list(entries, map.real_prefixes, map.real_at, PrefixRole::embedded, owner);
    }
    for (std::uint32_t i = 0; i < site.peers.size(); ++i) {
        const auto& peer = site.peers[i];
        add_list(entries, peer.virtual_prefixes, peer.virtual_at, PrefixRole::peer, i);
        for (const auto& link : peer.links) add_link(entries, link, i);
    }
    add_list(entries, site.white_list.prefixes, site.white_list.prefix_at, PrefixRole::white_list);
    for (std::size_t i = 0; i < site.white_list.endpoints.size(); ++i)
        if (const auto address = Address::parse(site.white_list.endpoints[i]))
            entries.push_back(
                {host_prefix(*address), PrefixRole::white_list, 0, position_of(site.white_list.endpoint_at, i)});
    if (site.intercept) {
        add_list(entries, site.intercept->to, site.intercept->to_at, PrefixRole::intercepted);
        const auto& proxy = site.intercept->proxy;
        entries.push_back({host_prefix(proxy.server.address), PrefixRole::server, 0, proxy.at});
    }
    for (const auto& listener : site.tunnel.listeners)
        entries.push_back({host_prefix(listener.listen.address), PrefixRole::listener, 0, listener.listen_at});
    for (std::uint32_t i = 0; i < reserved_ranges().size(); ++i)
        entries.push_back({reserved_ranges()[i].prefix, PrefixRole::reserved, i});
    for (std::uint32_t i = 0; i < unwise_ranges().size(); ++i)
        entries.push_back({unwise_ranges()[i].prefix, PrefixRole::unwise, i});
    std::ranges::sort(entries, stands_before);
    return entries;
}

/// What two overlapping entries mean for each other.
class Rules {
public:
    /// `files` are the findings in site.toml and in each maps file. What is in site.toml alone is left out when
    /// `of_files` is true: it was looked at before.
    Rules(const Site& site, std::span<Diagnostics> files, bool of_files)
        : site_(site),
          files_(files),
          of_files_(of_files) {}

    void operator()(const PlacedPrefix& inner, const PlacedPrefix& outer) {
        if (of_files_ && inner.file == 0 && outer.file == 0 && outer.role != PrefixRole::unwise) return;
        if (inner.role == outer.role) return compare_equals(inner, outer);
        const auto& [a, b] = inner.role < outer.role ? std::tie(inner, outer) : std::tie(outer, inner);
        switch (b.role) {
        case PrefixRole::own_real: return refuse_virtual_over_real(a, b);
        case PrefixRole::embedded:
            if (a.role == PrefixRole::own_virtual) refuse_virtual_over_real(a, b);
            return;
        case PrefixRole::peer: return refuse_peer(b, a);
        case PrefixRole::white_list:
            if (a.role != PrefixRole::own_real && a.role != PrefixRole::embedded) refuse_hiding(b, a);
            return;
        case PrefixRole::intercepted:
            // What covers others is fine: peers and the white list come first.
            if (&b == &inner) refuse_intercept(b, a);
            return;
        case PrefixRole::server:
        case PrefixRole::gateway: return check_way(b, a);
        case PrefixRole::probe: return check_probe(b, a);
        case PrefixRole::listener: return check_listener(b, a);
        case PrefixRole::reserved:
            if (a.role != PrefixRole::intercepted || &a == &inner) check_reserved(a, b);
            return;
        case PrefixRole::unwise:
            if (&b == &outer) remember(a, b);
            return;
        case PrefixRole::own_virtual: return;
        }
    }

    void report_remembered() {
        for (std::size_t i = 0; i < unwise_.size(); ++i) {
            const auto& range = unwise_ranges()[i];
            if (unwise_[i] && !range.warning.empty() && of_files_ == (unwise_[i]->file != 0))
                files_[unwise_[i]->file].warning(
                    unwise_[i]->at, fmt::format("{} is virtual here: {}", unwise_[i]->prefix.text(), range.warning),
                    std::string(range.remedy));
        }
    }

private:
    /// Not for embedding maps.
    const Map& map_of(const PlacedPrefix& entry) const { return site_.maps[entry.owner]; }
    bool is_embedding(const PlacedPrefix& entry) const { return entry.owner >= site_.maps.size(); }
    const Peer& peer_of(const PlacedPrefix& entry) const { return site_.peers[entry.owner]; }

    static std::string text(const PlacedPrefix& entry) {
        return entry.prefix.is_host() ? entry.prefix.network().text() : entry.prefix.text();
    }

    std::string place(const PlacedPrefix& entry, const PlacedPrefix& reported) const {
        return on_line(site_, entry.at, entry.file, reported.file);
    }

    /// "our own virtual 240.1.1.0/24 (line 5)"
    std::string describe(const PlacedPrefix& entry, const PlacedPrefix& reported) const {
        const auto where = place(entry, reported);
        switch (entry.role) {
        case PrefixRole::own_virtual: return fmt::format("our own virtual {}{}", text(entry), where);
        case PrefixRole::own_real:
        case PrefixRole::embedded: return fmt::format("our own real {}{}", text(entry), where);
        case PrefixRole::peer: return fmt::format("{} of peer {}{}", text(entry), peer_of(entry).name, where);
        default: return text(entry) + where;
        }
    }

    /// One error for each entry and each role that it is in the way of.
    void error(const PlacedPrefix& entry, PrefixRole other, std::string message, std::string remedy) {
        if (reported_.emplace(entry.prefix, entry.role, entry.owner, entry.file, entry.at, other).second)
            files_[entry.file].error(entry.at, std::move(message), std::move(remedy));
    }

    void compare_equals(const PlacedPrefix& inner, const PlacedPrefix& outer) {
        if (inner.role == PrefixRole::own_virtual && inner.prefix == outer.prefix)
            error(inner, inner.role, fmt::format("virtual {} is mapped twice{}", text(inner), place(outer, inner)),
                  "remove one of the two, or give it another virtual prefix");
        else if (inner.role == PrefixRole::own_virtual && (is_embedding(inner) || is_embedding(outer)))
            error(inner, inner.role,
                  fmt::format("virtual {} and virtual {} overlap{}", text(inner), text(outer), place(outer, inner)),
                  "the last 32 bits of a /96 are an IPv4 address, all of them: give the other map another prefix");
        if (inner.role == PrefixRole::own_real) compare_reals(inner, outer);
        if (inner.role == PrefixRole::intercepted && inner.prefix == outer.prefix)
            error(inner, inner.role, fmt::format("{} is listed twice{}", text(inner), place(outer, inner)),
                  "list it once");
        if (inner.role == PrefixRole::embedded && inner.owner == outer.owner)
            error(inner, inner.role, fmt::format("{} lies in {}{}", text(inner), text(outer), place(outer, inner)),
                  "leave it out: the other one holds it");
        if (inner.role == PrefixRole::peer) compare_peers(inner, outer);
    }

    void compare_reals(const PlacedPrefix& inner, const PlacedPrefix& outer) {
        if (inner.prefix == outer.prefix)
            error(inner, inner.role,
                  fmt::format("real {} has two virtual addresses, {} and {}{}", text(inner),
                              map_of(outer).virtual_prefix.text(), map_of(inner).virtual_prefix.text(),
                              place(outer, inner)),
                  "its packets can carry only one of them: remove the other [[map]]");
        // A host in another map's prefix is fine: its own entry wins in both directions.
        else if (!inner.prefix.is_host())
            error(inner, inner.role,
                  fmt::format("real {} lies in real {}, which is mapped too{}", text(inner), text(outer),
                              place(outer, inner)),
                  "its packets can carry only one virtual address: map prefixes that do not overlap, or single hosts");
    }

    void compare_peers(const PlacedPrefix& inner, const PlacedPrefix& outer) {
        if (inner.owner == outer.owner)
            error(inner, inner.role,
                  fmt::format("{} lies in {} of the same peer{}", text(inner), text(outer), place(outer, inner)),
                  "leave it out");
        else
            error(inner, inner.role, fmt::format("{} overlaps {}", text(inner), describe(outer, inner)),
                  "each site needs virtual prefixes of its own: write those that the peer itself maps");
    }

    void refuse_virtual_over_real(const PlacedPrefix& own_virtual, const PlacedPrefix& own_real) {
        error(own_virtual, PrefixRole::own_real,
              fmt::format("virtual {} overlaps {}", text(own_virtual), describe(own_real, own_virtual)),
              "a virtual prefix must be none that a LAN here uses: take one of 198.18.0.0/15");
    }

    void refuse_peer(const PlacedPrefix& peer, const PlacedPrefix& own) {
        error(peer, own.role,
              fmt::format("{} of peer {} overlaps {}", text(peer), peer_of(peer).name, describe(own, peer)),
              own.role == PrefixRole::own_virtual
                  ? "each site needs virtual prefixes of its own: write those that the peer itself maps"
                  : "hosts here could not tell the peer from the LAN: give the peer a virtual prefix that no LAN uses");
    }

    void refuse_hiding(const PlacedPrefix& white, const PlacedPrefix& hidden) {
        error(white, hidden.role, fmt::format("{} on the white list hides {}", text(white), describe(hidden, white)),
              "what is on the white list is never translated or intercepted: leave this out, or take a longer prefix");
    }

    void refuse_intercept(const PlacedPrefix& intercepted, const PlacedPrefix& other) {
        if (other.role == PrefixRole::white_list)
            error(intercepted, other.role,
                  fmt::format("{} is never intercepted: the white list holds {}", text(intercepted),
                              describe(other, intercepted)),
                  "take one of the two out");
        else
            error(intercepted, other.role,
                  fmt::format("{} to be intercepted lies in {}", text(intercepted), describe(other, intercepted)),
                  "leave it out: what goes to peers and to LANs here is never intercepted");
    }

    void check_way(const PlacedPrefix& way, const PlacedPrefix& target) {
        if (target.role != PrefixRole::own_virtual && target.role != PrefixRole::peer) return;
        error(way, target.role,
              fmt::format("{} {} lies in {}: a loop", way.role == PrefixRole::server ? "server" : "gateway", text(way),
                          describe(target, way)),
              "write the address at which it is reached without natctl");
    }

    void check_probe(const PlacedPrefix& probe, const PlacedPrefix& target) {
        if (target.role != PrefixRole::own_virtual && target.role != PrefixRole::peer) return;
        error(probe, target.role,
              fmt::format("{} lies in {}: its answers would come by whatever link the peer prefers", text(probe),
                          describe(target, probe)),
              "write the address that the other router has on this link itself");
    }

    void check_listener(const PlacedPrefix& listener, const PlacedPrefix& target) {
        if (target.role != PrefixRole::own_virtual && target.role != PrefixRole::peer) return;
        error(listener, target.role,
              fmt::format("no interface has the address {}: it lies in {}", text(listener), describe(target, listener)),
              "listen on an address that this router has");
    }

    void check_reserved(const PlacedPrefix& entry, const PlacedPrefix& reserved) {
        const auto& range = reserved_ranges()[reserved.owner];
        const char* use = nullptr;
        switch (entry.role) {
        case PrefixRole::own_virtual: use = "be virtual"; break;
        case PrefixRole::own_real:
        case PrefixRole::embedded: use = "be translated"; break;
        case PrefixRole::peer: use = "be a peer's"; break;
        case PrefixRole::intercepted: use = "be intercepted"; break;
        case PrefixRole::server: use = range.server_allowed ? nullptr : "be a server's"; break;
        case PrefixRole::gateway: use = range.gateway_allowed ? nullptr : "be a gateway's"; break;
        case PrefixRole::probe: use = range.gateway_allowed ? nullptr : "be asked whether a link works"; break;
        case PrefixRole::listener: use = range.listener_allowed ? nullptr : "be listened on"; break;
        default: break;
        }
        if (use == nullptr) return;
        error(entry, PrefixRole::reserved,
              fmt::format("{}: {} addresses ({}) cannot {}", text(entry), range.name, range.prefix.text(), use),
              entry.role == PrefixRole::own_virtual || entry.role == PrefixRole::peer
                  ? "take a prefix that no LAN uses, such as one of 198.18.0.0/15 or of fd00::/8"
              : entry.role == PrefixRole::own_real || entry.role == PrefixRole::embedded
                  ? "write the prefix of a LAN, such as 192.168.1.0/24"
                  : "write an address of its own, such as 198.51.100.2");
    }

    void remember(const PlacedPrefix& entry, const PlacedPrefix& unwise) {
        if (entry.role != PrefixRole::own_virtual && entry.role != PrefixRole::peer) return;
        auto& first = unwise_[unwise.owner];
        if (!first || std::pair(entry.file, entry.at) < std::pair(first->file, first->at)) first = entry;
    }

    const Site& site_;
    std::span<Diagnostics> files_;
    bool of_files_;
    /// An entry, and the role that it is in the way of.
    std::set<std::tuple<Prefix, PrefixRole, std::uint32_t, std::uint32_t, Position, PrefixRole>> reported_;
    /// The first entry in each unwise range.
    std::array<std::optional<PlacedPrefix>, 4> unwise_;
};

void check(const Site& site, Rules rules) {
    const auto entries = collect(site);
    NestingSweep sweep([&](const PlacedPrefix& inner, const PlacedPrefix& outer) { rules(inner, outer); });
    HostQueue virtuals(site, &Map::virtual_prefix, virtual_of);
    HostQueue reals(site, &Map::real_prefix, real_of);
    // The smallest of three each time.
    auto entry = entries.begin();
    for (;;) {
        auto* hosts = &virtuals;
        if (!virtuals.first() || (reals.first() && stands_before(*reals.first(), *virtuals.first()))) hosts = &reals;
        const auto* host = hosts->first();
        if (entry != entries.end() && (!host || stands_before(*entry, *host))) {
            sweep.add(*entry++);
        } else if (host) {
            sweep.add(*host);
            hosts->advance();
        } else {
            break;
        }
    }
    rules.report_remembered();
}

} // namespace

void check_prefixes(const Site& site, Diagnostics& diagnostics) { check(site, Rules(site, {&diagnostics, 1}, false)); }

void check_prefixes_of_files(const Site& site, std::span<Diagnostics> files) { check(site, Rules(site, files, true)); }

} // namespace natctl
