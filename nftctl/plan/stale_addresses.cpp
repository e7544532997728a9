// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/stale_addresses.h"

#include <algorithm>
#include <span>
#include <string>
#include <variant>

#include "nftctl/plan/ranges.h"

namespace natctl {

using namespace nft;

namespace {

/// Each is a walk of the kernel through all its connections, of 30 ms where there are 100,000; two cores do three in
/// some 50 ms, or 90 when they find nothing. Looking by mark takes 40 ms where a tenth of the connections is ours, 70
/// for a third and 170 for all.
constexpr std::size_t most_filters = 3;
/// Of a set. One address more or less in a map of prefixes takes three; a set that changes more is not looked at.
constexpr std::size_t most_elements = 32;

using Where = ConnectionFilter (*)(const Address&);

ConnectionFilter from(const Address& a) { return {.family = Family::ipv4, .original = {.source = a}}; }
ConnectionFilter called(const Address& a) { return {.family = Family::ipv4, .original = {.destination = a}}; }
ConnectionFilter reached(const Address& a) { return {.family = Family::ipv4, .reply = {.source = a}}; }
ConnectionFilter shown(const Address& a) { return {.family = Family::ipv4, .reply = {.destination = a}}; }

struct Place {
    const char* set;
    std::vector<Where> where;
};

/// Where in a flow an address stands that makes it wrong, for each set or map that says something else of the address.
/// Follows from StaleFlows::is_stale(), of flows that were right before.
const std::vector<Place>& places() {
    static const std::vector<Place> all{{"dnat4h", {called, shown}},
                                        {"dnat4", {called, shown}},
                                        {"own4", {called, shown}},
                                        {"peer4", {called, from, reached}}};
    return all;
}

AddressRange keys(const Element& element) {
    return {Address::from_bytes(Family::ipv4, element.first().span()),
            Address::from_bytes(Family::ipv4, element.last().span())};
}

/// What a transaction takes out of a set and puts in.
struct Difference {
    Difference(const Transaction& transaction, const std::string& set) {
        for (const auto& change : transaction.changes) {
            if (const auto* more = std::get_if<AddElements>(&change); more && more->set.name == set)
                added = more->elements.all();
            if (const auto* less = std::get_if<DeleteElements>(&change); less && less->set.name == set)
                deleted = less->elements.all();
        }
    }

    std::span<const Element> added;
    std::span<const Element> deleted;
};

/// The keys of `elements` that are not among `others` with the same data.
std::vector<AddressRange> only_in(std::span<const Element> elements, std::span<const Element> others) {
    std::vector<AddressRange> result;
    for (const auto& element : elements) {
        std::vector<AddressRange> same;
        for (const auto& other : others)
            if (other.data() == element.data()) same.push_back(keys(other));
        const auto rest = without(keys(element), merged(std::move(same)));
        result.insert(result.end(), rest.begin(), rest.end());
    }
    return result;
}

bool rules_differ(const Transaction& transaction, const std::string& chain) {
    return std::ranges::any_of(transaction.changes, [&](const nft::Change& change) {
        const auto* flushed = std::get_if<FlushChain>(&change);
        return flushed && flushed->name == chain;
    });
}

/// In the order in which they were added.
class Filters {
public:
    /// False: there are too many now.
    bool add(const std::vector<AddressRange>& ranges, const std::vector<Where>& where) {
        for (const auto& range : ranges)
            for (std::optional<Address> address = range.first; address && *address <= range.last;
                 address = address->next())
                for (const auto made : where)
                    if (!add(made(*address))) return false;
        return true;
    }

    const std::vector<ConnectionFilter>& all() const { return filters_; }

private:
    bool add(const ConnectionFilter& filter) {
        if (std::ranges::find(filters_, filter) == filters_.end()) filters_.push_back(filter);
        return filters_.size() <= most_filters;
    }

    std::vector<ConnectionFilter> filters_;
};

} // namespace

std::optional<std::vector<ConnectionFilter>> filters_by_address(const Transaction& change,
                                                                const std::optional<Address>& router) {
    if (change.makes_table_anew()) return std::nullopt;
    Filters filters;
    if (router && rules_differ(change, "to_peer4") && !filters.add({{*router, *router}}, {shown})) return std::nullopt;
    for (const auto& [set, where] : places()) {
        const Difference difference(change, set);
        if (difference.added.size() + difference.deleted.size() > most_elements) return std::nullopt;
        // First those under which flows may stand: what finds nothing holds up the dumps that begin later.
        if (!filters.add(only_in(difference.deleted, difference.added), where) ||
            !filters.add(only_in(difference.added, difference.deleted), where))
            return std::nullopt;
    }
    return filters.all();
}

} // namespace natctl
