// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "nftctl/plan/element.h"

using namespace natctl;
using namespace natctl::nft;

namespace {

using Octets = std::vector<std::uint8_t>;

Octets octets(BytesView view) { return {view.span().begin(), view.span().end()}; }

} // namespace

TEST_CASE("an element gives back what it was made of, whatever its size") {
    std::mt19937 random(7);
    const auto make = [&](std::size_t size) {
        Octets result(size);
        std::ranges::generate(result, [&] { return static_cast<std::uint8_t>(random() % 3); });
        return result;
    };
    std::vector<Element> elements;
    std::vector<std::tuple<Octets, Octets, Octets>> parts;
    for (int round = 0; round < 2000; ++round) {
        const std::size_t size = 1 + random() % Bytes::capacity;
        const auto first = make(size);
        const auto last = random() % 2 == 0 ? first : make(size);
        const auto data = make(random() % (Bytes::capacity + 1));
        const Element element{std::span(first), std::span(last), std::span(data)};
        CHECK(octets(element.first()) == first);
        CHECK(octets(element.last()) == last);
        CHECK(octets(element.data()) == data);
        CHECK(element.without_data().data().empty());
        elements.push_back(element);
        parts.emplace_back(first, last, data);
    }
    std::ranges::sort(elements);
    std::ranges::sort(parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        CHECK(octets(elements[i].first()) == std::get<0>(parts[i]));
        CHECK(octets(elements[i].last()) == std::get<1>(parts[i]));
        CHECK(octets(elements[i].data()) == std::get<2>(parts[i]));
    }
}

TEST_CASE("copies and assignments of elements share nothing") {
    const auto name = *Address::parse("fd01::1");
    const auto other = *Address::parse("240.1.1.1");
    Element large(name.bytes(), name.bytes(), name.bytes());
    const Element small(other.bytes(), other.bytes(), other.bytes());
    const Element copy = large;
    large = small;
    CHECK(large == small);
    CHECK(octets(copy.data()) == octets(name.bytes()));
    large = copy;
    CHECK(large == copy);
    const Element& same = large;
    large = same;
    CHECK(large == copy);
}

TEST_CASE("an element of IPv4 addresses stays small") { CHECK(sizeof(Element) <= 24); }
