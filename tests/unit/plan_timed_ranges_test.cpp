// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/timed_ranges.h"

#include <random>

#include <doctest/doctest.h>

using namespace natctl;
using std::chrono::milliseconds;

namespace {

TimedRange range(const char* first, const char* last, std::optional<milliseconds> lifetime = {}) {
    return {{*Address::parse(first), *Address::parse(last)}, lifetime};
}

std::optional<milliseconds> longest_of(const std::vector<TimedRange>& ranges, const Address& address, bool& found) {
    std::optional<milliseconds> longest = milliseconds(0);
    found = false;
    for (const auto& [range, lifetime] : ranges) {
        if (!range.contains(address)) continue;
        found = true;
        if (!lifetime || !longest) return std::nullopt;
        longest = std::max(*longest, *lifetime);
    }
    return longest;
}

} // namespace

TEST_CASE("where lifetimes overlap, the longer one holds") {
    const milliseconds short_one(1000);
    const milliseconds long_one(5000);
    CHECK(longest_lived({}).empty());
    // A part that stays for ever in what does not.
    CHECK(longest_lived({range("10.0.0.0", "10.255.255.255", long_one), range("10.1.0.0", "10.1.255.255")}) ==
          std::vector{range("10.0.0.0", "10.0.255.255", long_one), range("10.1.0.0", "10.1.255.255"),
                      range("10.2.0.0", "10.255.255.255", long_one)});
    // A part that goes sooner does not show.
    CHECK(longest_lived({range("10.1.0.0", "10.1.255.255", short_one), range("10.0.0.0", "10.255.255.255")}) ==
          std::vector{range("10.0.0.0", "10.255.255.255")});
    CHECK(longest_lived({range("10.0.0.0", "10.0.0.9", short_one), range("10.0.0.5", "10.0.0.20", long_one)}) ==
          std::vector{range("10.0.0.0", "10.0.0.4", short_one), range("10.0.0.5", "10.0.0.20", long_one)});
}

TEST_CASE("neighbours of one lifetime are one, others stay apart") {
    const milliseconds some(1000);
    CHECK(longest_lived({range("10.0.0.0", "10.0.0.127", some), range("10.0.0.128", "10.0.0.255", some)}) ==
          std::vector{range("10.0.0.0", "10.0.0.255", some)});
    CHECK(longest_lived({range("10.0.0.128", "10.0.0.255"), range("10.0.0.0", "10.0.0.127", some)}) ==
          std::vector{range("10.0.0.0", "10.0.0.127", some), range("10.0.0.128", "10.0.0.255")});
}

TEST_CASE("the ends of the address space") {
    const milliseconds some(1000);
    CHECK(longest_lived({range("0.0.0.0", "255.255.255.255", some), range("255.255.255.255", "255.255.255.255")}) ==
          std::vector{range("0.0.0.0", "255.255.255.254", some), range("255.255.255.255", "255.255.255.255")});
    const auto all = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    CHECK(longest_lived({all, all}) == std::vector{all});
}

TEST_CASE(
    "random ranges: each address for as long as the longest says, and what is left is the same without the rest") {
    std::mt19937 random(20261121);
    for (int round = 0; round < 300; ++round) {
        std::vector<TimedRange> ranges;
        for (auto count = random() % 8; count > 0; --count) {
            const auto first = static_cast<std::uint32_t>(random() % 64);
            const auto last = first + static_cast<std::uint32_t>(random() % 16);
            TimedRange one{{Address::v4(first), Address::v4(last)}, {}};
            if (random() % 3 != 0) one.lifetime = milliseconds(1 + random() % 4);
            ranges.push_back(one);
        }
        const auto result = longest_lived(ranges);
        for (std::size_t i = 1; i < result.size(); ++i) REQUIRE(result[i - 1].range.last < result[i].range.first);
        for (std::uint32_t i = 0; i < 80; ++i) {
            bool wanted = false;
            bool found = false;
            const auto lifetime = longest_of(ranges, Address::v4(i), wanted);
            REQUIRE(longest_of(result, Address::v4(i), found) == lifetime);
            REQUIRE(found == wanted);
        }
        // The kernel takes away what is over; the next plan must be just that.
        const auto over = [](const TimedRange& one) { return one.lifetime && *one.lifetime <= milliseconds(2); };
        auto left = result;
        std::erase_if(left, over);
        std::erase_if(ranges, over);
        REQUIRE(longest_lived(ranges) == left);
    }
}
