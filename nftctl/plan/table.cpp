// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/table.h"

#include <algorithm>
#include <cassert>

namespace natctl::nft {

unsigned datatype_size(Datatype type) {
    switch (type) {
    case Datatype::ipv4_addr: return 4;
    case Datatype::ipv6_addr: return 16;
    case Datatype::ifname: return 16;
    case Datatype::inet_proto: return 1;
    // struct nft_verdict
    case Datatype::verdict: return 16;
    }
    assert(false);
    return 0;
}

namespace {

template <class Items>
auto find_by_name(const Items& items, const std::string& name, auto name_of) -> decltype(items.data()) {
    const auto found = std::ranges::find(items, name, name_of);
    return found == items.end() ? nullptr : &*found;
}

} // namespace

bool Table::operator==(const Table& other) const {
    const auto by_name = [](const Table& table) {
        std::vector<const Chain*> sorted;
        for (const auto& chain : table.chains) sorted.push_back(&chain);
        std::ranges::sort(sorted, {}, &Chain::name);
        return sorted;
    };
    return sets == other.sets && helpers == other.helpers && ownable == other.ownable &&
           std::ranges::equal(by_name(*this), by_name(other), [](auto* a, auto* b) { return *a == *b; });
}

const Set* Table::find_set(const std::string& name) const {
    return find_by_name(sets, name, [](const Set& set) -> const std::string& { return set.spec.name; });
}

const Chain* Table::find_chain(const std::string& name) const { return find_by_name(chains, name, &Chain::name); }

} // namespace natctl::nft
