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
    }
    assert(false);
    return 0;
}

void Bytes::append(std::span<const std::uint8_t> bytes, unsigned alignment) {
    const std::size_t padded = (bytes.size() + alignment - 1) / alignment * alignment;
    assert(size_ + padded <= capacity);
    std::ranges::copy(bytes, bytes_.begin() + size_);
    size_ = static_cast<std::uint8_t>(size_ + padded);
}

void Bytes::append_interface(const std::string& name) {
    std::array<std::uint8_t, 16> bytes{};
    assert(name.size() < bytes.size());
    std::ranges::copy(name, bytes.begin());
    append(bytes);
}

namespace {

template <class Items>
auto find_by_name(const Items& items, const std::string& name, auto name_of) -> decltype(items.data()) {
    const auto found = std::ranges::find(items, name, name_of);
    return found == items.end() ? nullptr : &*found;
}

} // namespace

const Set* Table::find_set(const std::string& name) const {
    return find_by_name(sets, name, [](const Set& set) -> const std::string& { return set.spec.name; });
}

const Chain* Table::find_chain(const std::string& name) const { return find_by_name(chains, name, &Chain::name); }

} // namespace natctl::nft
