// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <doctest/doctest.h>

#include "nftctl/plan/addressing.h"
#include "nftctl/plan/ranges.h"

using namespace natctl;

namespace {

Address at(const char* text) { return *Address::parse(text); }

Map map(const char* virt, const char* real) { return {*Prefix::parse(virt), *Prefix::parse(real), {}, {}}; }

const std::vector<Map> nested{map("240.1.0.0/16", "10.10.0.0/16"), map("240.1.77.0/24", "192.168.1.0/24"),
                              map("240.1.77.60", "192.168.1.61")};

/// What the kernel does: the host map first, then the prefix whose key holds the address.
std::optional<Address> look_up(const Translation& translation, const Address& address) {
    for (const auto& host : translation.hosts)
        if (host.key == address) return host.target;
    for (const auto& prefix : translation.prefixes)
        if (prefix.key.contains(address))
            return translate(address, Prefix(address, prefix.target.length()), prefix.target);
    return std::nullopt;
}

} // namespace

TEST_CASE("ranges that touch are joined, cuts leave what is around them") {
    const std::vector<AddressRange> joined = merged(
        {{at("10.0.0.128"), at("10.0.0.255")}, {at("10.0.0.0"), at("10.0.0.127")}, {at("10.0.2.0"), at("10.0.2.9")}});
    REQUIRE(joined.size() == 2);
    CHECK(as_prefix(joined[0]) == Prefix::parse("10.0.0.0/24"));
    CHECK(!as_prefix(joined[1]));
    const auto left = without({at("10.0.0.0"), at("10.0.2.9")}, joined);
    REQUIRE(left.size() == 1);
    CHECK(left[0] == AddressRange{at("10.0.1.0"), at("10.0.1.255")});
    CHECK(without({at("255.255.255.0"), at("255.255.255.255")}, {{at("255.255.255.255"), at("255.255.255.255")}}) ==
          std::vector<AddressRange>{{at("255.255.255.0"), at("255.255.255.254")}});
}

TEST_CASE("of nested maps the longest prefix wins, to the real side") {
    const auto real = to_real(nested, Family::ipv4);
    CHECK(look_up(real, at("240.1.5.9")) == at("10.10.5.9"));
    CHECK(look_up(real, at("240.1.77.20")) == at("192.168.1.20"));
    CHECK(look_up(real, at("240.1.77.60")) == at("192.168.1.61"));
    CHECK(!look_up(real, at("240.2.0.1")));
}

TEST_CASE("to the virtual side nobody appears under another host's name") {
    const auto virt = to_virtual(nested, Family::ipv4);
    CHECK(look_up(virt, at("192.168.1.20")) == at("240.1.77.20"));
    CHECK(look_up(virt, at("192.168.1.61")) == at("240.1.77.60"));
    // 240.1.77.60 belongs to .61 now, 240.1.77.0/24 to the other LAN.
    CHECK(!look_up(virt, at("192.168.1.60")));
    CHECK(!look_up(virt, at("10.10.77.5")));
    CHECK(virtual_of(nested, at("10.10.76.255")) == at("240.1.76.255"));
}

TEST_CASE("every virtual address that is looked up from a real one leads back to it") {
    const auto real = to_real(nested, Family::ipv4);
    const auto virt = to_virtual(nested, Family::ipv4);
    unsigned found = 0;
    for (const char* base : {"10.10.76.0", "10.10.77.0", "10.10.78.0", "192.168.1.0"})
        for (std::uint32_t host = 0; host < 256; ++host) {
            const auto address = Address::v4(at(base).v4_value() + host);
            const auto name = look_up(virt, address);
            if (!name) continue;
            ++found;
            CHECK(look_up(real, *name) == address);
        }
    CHECK(found == 256 + 256 + 255);
}
