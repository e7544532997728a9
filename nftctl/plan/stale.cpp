// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/stale.h"

#include <algorithm>
#include <string>

#include "nftctl/plan/ranges.h"
#include "nftctl/plan/stale_addresses.h"

namespace natctl {

using namespace nft;

namespace {

std::string suffix_of(Family family) { return family == Family::ipv4 ? "4" : "6"; }

bool carries(const Connection& connection, const std::optional<Mark>& mark) {
    return mark && (connection.mark & mark->mask) == mark->value;
}

const Elements& elements_of(const Plan& plan, const std::string& set) {
    static const Elements none;
    const auto* found = plan.table ? plan.table->find_set(set) : nullptr;
    return found ? found->elements : none;
}

const std::vector<Rule>& rules_of(const Plan& plan, const std::string& chain) {
    static const std::vector<Rule> none;
    const auto* found = plan.table ? plan.table->find_chain(chain) : nullptr;
    return found ? found->rules : none;
}

/// The sets of our own and our peers' names.
std::vector<std::string> name_sets(Family family) {
    std::vector<std::string> sets{"own" + suffix_of(family), "peer" + suffix_of(family)};
    if (family == Family::ipv6) sets.push_back("own64");
    return sets;
}

/// All addresses in them.
std::vector<AddressRange> names_of(const Plan& plan, Family family) {
    std::vector<AddressRange> ranges;
    for (const auto& name : name_sets(family))
        for (const auto& element : elements_of(plan, name))
            ranges.push_back({Address::from_bytes(family, element.first().span()),
                              Address::from_bytes(family, element.last().span())});
    return merged(std::move(ranges));
}

/// Whether some address of `ranges` is in none of `others`. Both merged().
bool exceeds(const std::vector<AddressRange>& ranges, const std::vector<AddressRange>& others) {
    return std::ranges::any_of(ranges, [&](const AddressRange& range) { return !without(range, others).empty(); });
}

/// Whether a flow of `source` that began under a name may go on under it, though new ones may get another: the name
/// leads to that host, or is the one under which hosts without a name go.
bool stands_for(const Translator& plan, const Address& name, const Address& source) {
    return name == plan.router() || plan.real_of(name) == source;
}

bool overlap(const Elements& left, const Elements& right) {
    if (left.size() > right.size()) return overlap(right, left);
    return std::ranges::any_of(left, [&](const Element& element) {
        const auto after = std::ranges::upper_bound(right, element.last(), {}, &Element::first);
        return after != right.begin() && std::prev(after)->last() >= element.first();
    });
}

/// What a transaction touches, by name. All of it when the table is made anew.
class Touched {
public:
    explicit Touched(const Transaction& transaction)
        : transaction_(transaction),
          anew_(transaction.makes_table_anew()) {}

    bool anew() const { return anew_; }
    bool set(const std::string& name) const {
        return any([&](const nft::Change& change) {
            const auto* added = std::get_if<AddElements>(&change);
            const auto* deleted = std::get_if<DeleteElements>(&change);
            return (added && added->set.name == name) || (deleted && deleted->set.name == name);
        });
    }
    bool chain(const std::string& name) const {
        return any([&](const nft::Change& change) {
            const auto* added = std::get_if<AddRule>(&change);
            const auto* flushed = std::get_if<FlushChain>(&change);
            return (added && added->chain == name) || (flushed && flushed->name == name);
        });
    }

private:
    bool any(auto holds) const { return std::ranges::any_of(transaction_.changes, holds); }

    const Transaction& transaction_;
    bool anew_;
};

} // namespace

/// What a change means for the flows of one family.
struct StaleFlows::Change {
    /// Some flow may be translated differently now.
    bool any = false;
    /// There are names that were none before.
    bool gained = false;
    /// There are names no longer.
    bool lost = false;
    /// The white list hides other names than before, or may.
    bool hidden = false;
};

StaleFlows::StaleFlows(const Plan& before, const Plan& after, const Transaction& change)
    : before_(before),
      after_(after),
      transaction_(change),
      halves_{Half{Translator(before, Family::ipv4), Translator(after, Family::ipv4)},
              Half{Translator(before, Family::ipv6), Translator(after, Family::ipv6)}} {}

StaleFlows::Change StaleFlows::compare(Family family) const {
    const Touched touched(transaction_);
    const auto differs = [&](const std::string& set) {
        return touched.anew() ? elements_of(before_, set) != elements_of(after_, set) : touched.set(set);
    };
    const std::string suffix = suffix_of(family);
    const std::string to_peer = "to_peer" + suffix;
    Change change;
    if (std::ranges::any_of(name_sets(family), differs)) {
        const auto before = names_of(before_, family);
        const auto after = names_of(after_, family);
        change = {.any = true, .gained = exceeds(after, before), .lost = exceeds(before, after)};
    }
    // What the hosts are shown as is decided anew for new flows only; what their names lead to is another matter.
    change.any = change.any || differs("dnat" + suffix) || differs("dnat" + suffix + "h");
    // A white list that names none of ours may change as often as it likes.
    for (const auto& white : {"white" + suffix, "white_now" + suffix}) {
        const auto hides = [&](const Plan& plan) {
            return overlap(elements_of(plan, "own" + suffix), elements_of(plan, white));
        };
        change.hidden = change.hidden || (differs(white) && (hides(before_) || hides(after_)));
    }
    change.any = change.any || change.hidden ||
                 (touched.anew() ? rules_of(before_, to_peer) != rules_of(after_, to_peer) : touched.chain(to_peer));
    return change;
}

std::vector<ConnectionFilter> StaleFlows::filters() const {
    constexpr Mark dnat{connection_dnat, connection_dnat};
    constexpr Mark no_dnat{0, connection_dnat};
    std::vector<ConnectionFilter> filters;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const Change change = compare(family);
        if (!change.any) continue;
        const auto& [before, after] = half(family);
        // The kernel compares no IPv6 addresses: see put_filter().
        if (family == Family::ipv4 && !change.hidden) {
            if (const auto few = filters_by_address(transaction_, before.router())) {
                filters.insert(filters.end(), few->begin(), few->end());
                continue;
            }
        }
        // What began before a name was ours has no sign of ours, and any sign of others.
        if (change.gained || !before.link_mark() || !before.tunnel_mark()) {
            filters.push_back({.family = family});
            continue;
        }
        // Ours are those that a link carries, and those whose destination was translated: from the tunnel, from this
        // machine, and inside the LAN. Tunnelled flows are not translated; they end with their peer.
        filters.push_back({.family = family, .status = dnat});
        filters.push_back({.family = family, .mark = before.link_mark(), .status = no_dnat});
        if (change.lost) filters.push_back({.family = family, .mark = before.tunnel_mark(), .status = no_dnat});
        if (after.link_mark() && after.link_mark() != before.link_mark())
            filters.push_back({.family = family, .mark = after.link_mark(), .status = no_dnat});
    }
    return filters;
}

bool StaleFlows::is_stale(const Connection& connection) const {
    const auto& [before, after] = half(connection.family());
    const Address& source = connection.original.source;
    const Address& called = connection.original.destination;
    const Address& reached = connection.reply.source;
    const Address& shown = connection.reply.destination;
    const bool tunnelled = carries(connection, before.tunnel_mark()) || carries(connection, after.tunnel_mark());
    const bool marked = tunnelled || carries(connection, before.link_mark());

    // The destination: one of our names leads to its host, and to none when there is none.
    if (const auto real = after.real_of(called)) {
        if (reached != *real) return true;
    } else if (const auto former = before.real_of(called)) {
        if (reached == *former) return true;
    }
    if (after.is_embedding(called) && !before.is_own(called) && !tunnelled) return true;
    const auto is_name = [&](const Translator& plan) { return plan.is_own(called) || plan.is_peer(called); };
    if (is_name(before) && !is_name(after) && marked) return true;

    // The source, on the way to a peer. What the tunnel carries was not translated.
    if (after.is_peer(reached))
        return !tunnelled && after.source_to_peer(source) != shown && !stands_for(after, shown, source);
    if (before.is_peer(reached)) return marked || before.source_to_peer(source) == shown;

    // From a peer that is gone.
    if (before.is_peer(source) && !after.is_peer(source)) return marked || before.real_of(called) == reached;

    // From the site itself to one of its names: the name of the caller. This machine's address, and others that have no
    // name, stand for themselves.
    if (after.is_own(called) && shown != source && (before.is_own(shown) || after.is_own(shown)))
        return after.name_of(source) != shown && !stands_for(after, shown, source);
    return false;
}

} // namespace natctl
