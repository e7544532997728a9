// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "nftctl/plan/elements.h"

using namespace natctl;
using namespace natctl::nft;

namespace {

Element host(std::uint32_t number) { return {Address::v4(number), Address::v4(number)}; }

} // namespace

TEST_CASE("copies of elements are shared until one is edited, which the others do not see") {
    const Elements before{host(1), host(2)};
    Elements after = before;
    CHECK(after.shares(before));
    after.edit().push_back(host(3));
    CHECK_FALSE(after.shares(before));
    CHECK(before.size() == 2);
    CHECK(after.size() == 3);
    CHECK(after != before);
}

TEST_CASE("elements are equal by what they are, not by where they lie") {
    CHECK(Elements{host(1)} == Elements{host(1)});
    CHECK(Elements{host(1)} != Elements{host(2)});
    CHECK(Elements{} == Elements(std::vector<Element>{}));
    CHECK(Elements{}.empty());
}

TEST_CASE("a fingerprint follows each edit") {
    Elements elements{host(1)};
    const auto one = elements.fingerprint();
    CHECK(Elements{host(1)}.fingerprint() == one);
    const Elements copy = elements;
    elements.edit().push_back(host(2));
    CHECK(elements.fingerprint() != one);
    CHECK(copy.fingerprint() == one);
    elements.edit().pop_back();
    CHECK(elements.fingerprint() == one);
    CHECK(Elements{}.fingerprint() != one);
}
