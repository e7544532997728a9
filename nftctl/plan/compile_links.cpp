// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/compile_links.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "nftctl/base/fingerprint.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/ranges.h"
#include "nftctl/plan/rule_words.h"
#include "nftctl/plan/set_words.h"
#include "nftctl/plan/verdict_data.h"

namespace natctl::links {

using namespace nft;
using namespace words;

namespace {

/// IPv4 and IPv6, as words::halves() has them.
constexpr std::size_t families = 2;

using Interfaces = std::vector<std::string>;

/// The interface links of a peer.
struct Ways {
    /// Sorted.
    Interfaces all;
    /// The one of them that new flows take.
    std::optional<std::string> chosen;

    auto operator<=>(const Ways&) const = default;
};

Ways ways_of(const Peer& peer, const Facts& facts) {
    Ways ways;
    for (const auto& link : peer.links)
        if (const auto* dev = std::get_if<DevLink>(&link)) ways.all.push_back(dev->dev);
    std::ranges::sort(ways.all);
    ways.all.erase(std::unique(ways.all.begin(), ways.all.end()), ways.all.end());
    const auto* link = usable_link(peer, facts);
    if (const auto* dev = link ? std::get_if<DevLink>(link) : nullptr) ways.chosen = dev->dev;
    return ways;
}

/// "in/ov0/wg0". No interface has a slash in its name (dev_valid_name in net/core/dev.c). What nft's syntax does not
/// take, and what gets too long, goes under its fingerprint.
std::string chain_name(const std::string& kind, const Interfaces& interfaces) {
    constexpr std::size_t longest = 100;
    std::string name = kind;
    for (const auto& interface : interfaces) name += "/" + interface;
    const bool plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.' || c == '/';
    });
    if (plain && name.size() <= longest) return name;
    Fingerprint fingerprint;
    for (const auto& interface : interfaces) fingerprint.add(interface);
    return fmt::format("{}/{:02x}", kind, fmt::join(fingerprint.bytes(), ""));
}

Interfaces others(const Ways& ways) {
    auto result = ways.all;
    std::erase(result, ways.chosen);
    return result;
}

std::string in_name(const Ways& ways) { return chain_name("in", ways.all); }

std::string out_name(const Ways& ways) {
    if (!ways.chosen) return chain_name("away", ways.all);
    Interfaces names{*ways.chosen};
    for (auto& other : others(ways)) names.push_back(std::move(other));
    return chain_name("out", names);
}

Verdict by_source(const Ways& ways) {
    if (ways.all.empty()) return {VerdictKind::goto_, "forged"};
    return {VerdictKind::jump, in_name(ways)};
}

Verdict by_destination(const Ways& ways) {
    if (ways.all.empty()) return {VerdictKind::goto_, "no_link"};
    return {VerdictKind::jump, out_name(ways)};
}

/// Ranges of addresses and what becomes of their packets.
class VerdictRanges {
public:
    void add(const Verdict& verdict, const std::vector<AddressRange>& ranges) {
        auto& all = ranges_[verdict_data(verdict)];
        all.insert(all.end(), ranges.begin(), ranges.end());
    }

    Set set(const std::string& name, Family family) const {
        std::vector<Element> elements;
        for (const auto& [verdict, ranges] : ranges_)
            for (const auto& range : merged(ranges)) elements.emplace_back(range.first, range.last, std::span(verdict));
        std::ranges::sort(elements);
        return {{.name = with_family(name, family),
                 .key = {address_type(family)},
                 .data = Datatype::verdict,
                 .interval = true},
                std::move(elements)};
    }

private:
    std::map<std::vector<std::uint8_t>, std::vector<AddressRange>> ranges_;
};

Match comes_by(const std::string& interface) { return {Field::iifname, {}, Op::eq, interface}; }
Match leaves_by(const std::string& interface) { return {Field::oifname, {}, Op::eq, interface}; }

Chain in_chain(const Ways& ways) {
    ChainWriter chain(in_name(ways));
    for (const auto& interface : ways.all) chain.rule(comes_by(interface), leave());
    return chain.rule(go("forged")).done();
}

Chain out_chain(const Ways& ways, Mark pinned) {
    ChainWriter chain(out_name(ways));
    if (ways.chosen) chain.rule(leaves_by(*ways.chosen), leave());
    // Flows that live on a link may use any link of the peer, and wait while there is none: a flap must not kill them.
    for (const auto& interface : others(ways))
        chain.rule(marked(Field::ct_mark, pinned), leaves_by(interface), leave());
    chain.rule(marked(Field::ct_mark, pinned), Counter{}, drop());
    return chain.rule(go("no_link")).done();
}

} // namespace

std::vector<Set> maps(const Site& site, const MapParts& parts, const Facts& facts) {
    std::vector<Prefix> embedding;
    for (const auto& map : site.embedding_maps) embedding.push_back(map.virtual_prefix);
    std::array<VerdictRanges, families> from;
    std::array<VerdictRanges, families> to;
    for (std::size_t i = 0; i < families; ++i) {
        const auto& half = halves()[i];
        from[i].add({VerdictKind::goto_, "forged"}, parts.own(half.family));
        from[i].add({VerdictKind::goto_, "forged"}, ranges_of(embedding, half.family));
        to[i].add({VerdictKind::goto_, half.set("unmapped")}, parts.own(half.family));
    }
    for (const auto& peer : site.peers) {
        const auto ways = ways_of(peer, facts);
        const auto out = by_destination(ways);
        const auto in = by_source(ways);
        for (std::size_t i = 0; i < families; ++i) {
            const auto ranges = ranges_of(peer.virtual_prefixes, halves()[i].family);
            from[i].add(in, ranges);
            to[i].add(out, ranges);
        }
    }
    std::vector<Set> sets;
    for (std::size_t i = 0; i < families; ++i) {
        sets.push_back(from[i].set("from", halves()[i].family));
        sets.push_back(to[i].set("to", halves()[i].family));
    }
    return sets;
}

std::vector<Chain> chains(const Site& site, const Facts& facts) {
    std::set<Ways> all;
    for (const auto& peer : site.peers)
        if (auto ways = ways_of(peer, facts); !ways.all.empty()) all.insert(std::move(ways));
    std::map<std::string, Chain> chains;
    for (const auto& ways : all) {
        chains.emplace(in_name(ways), in_chain(ways));
        chains.emplace(out_name(ways), out_chain(ways, site.marks.link()));
    }
    std::vector<Chain> result{ChainWriter("forged").rule(Counter{}, drop()).done()};
    for (const auto& half : halves())
        result.push_back(
            ChainWriter(half.set("unmapped")).rule(half.is_family(), Counter{}, refuse_own(half.family)).done());
    for (auto& [name, chain] : chains) result.push_back(std::move(chain));
    return result;
}

} // namespace natctl::links
