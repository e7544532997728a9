// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/ranges.h"

#include <random>

#include <doctest/doctest.h>

using namespace natctl;

namespace {

Address at(const char* text) { return *Address::parse(text); }

std::string text(const std::vector<Prefix>& prefixes) {
    std::string result;
    for (const auto& prefix : prefixes) result += (result.empty() ? "" : " ") + prefix.text();
    return result;
}

} // namespace

TEST_CASE("ranges become the fewest prefixes") {
    CHECK(text(prefixes_of({{at("10.0.0.0"), at("10.0.0.255")}})) == "10.0.0.0/24");
    CHECK(text(prefixes_of({{at("10.0.0.1"), at("10.0.0.6")}})) == "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32");
    CHECK(text(prefixes_of({{at("255.255.255.254"), at("255.255.255.255")}})) == "255.255.255.254/31");
    CHECK(text(prefixes_of({{at("fc00::"), at("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}})) == "fc00::/7");
    CHECK(prefixes_of({}).empty());
}

TEST_CASE("everything is two prefixes: hash:net takes no /0") {
    CHECK(text(prefixes_of({{at("0.0.0.0"), at("255.255.255.255")}})) == "0.0.0.0/1 128.0.0.0/1");
    CHECK(text(prefixes_of({{at("::"), at("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}})) == "::/1 8000::/1");
}

TEST_CASE("random ranges: the prefixes are exactly them") {
    std::mt19937 random(20240504);
    for (int round = 0; round < 2000; ++round) {
        const auto one = Address::v4(static_cast<std::uint32_t>(random()));
        const auto other = Address::v4(static_cast<std::uint32_t>(random()));
        const AddressRange range{std::min(one, other), std::max(one, other)};
        const auto prefixes = prefixes_of({range});
        CHECK(prefixes.size() <= 62);
        std::vector<AddressRange> ranges;
        for (const auto& prefix : prefixes) ranges.push_back(prefix.range());
        CHECK(merged(ranges) == std::vector{range});
    }
}
