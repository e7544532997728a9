// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/address.h"

#include <doctest/doctest.h>

using namespace natctl;

TEST_CASE("addresses have one text form each") {
    CHECK(Address::parse("192.168.1.20")->text() == "192.168.1.20");
    CHECK(Address::parse("64:FF9B:1111:0::c0a8:0114")->text() == "64:ff9b:1111::c0a8:114");
    CHECK(Address::v4(0xf0010114).text() == "240.1.1.20");
}

TEST_CASE("what is no address is refused") {
    for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", "01.2.3.4", "::g", "1.2.3.4/24",
                             "fe80::1%eth0", ":::", "1:2:3:4:5:6:7:8:9"})
        CHECK_MESSAGE(!Address::parse(text), text);
    CHECK(!Address::parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST_CASE("an IPv4 address inside an IPv6 one is seen through") {
    CHECK(Address::parse("::ffff:127.0.0.1")->unmapped() == *Address::parse("127.0.0.1"));
    CHECK(Address::parse("::ffff:127.0.0.1")->is_loopback());
    CHECK(Address::parse("::1")->is_loopback());
    CHECK(!Address::parse("::2")->is_loopback());
    CHECK(!Address::parse("128.0.0.1")->is_loopback());
}

TEST_CASE("next and previous carry over bytes and stop at the ends") {
    CHECK(Address::parse("10.0.255.255")->next() == Address::parse("10.1.0.0"));
    CHECK(Address::parse("10.1.0.0")->previous() == Address::parse("10.0.255.255"));
    CHECK(!Address::parse("255.255.255.255")->next());
    CHECK(!Address::parse("::")->previous());
}

TEST_CASE("prefixes clear host bits and know their ends") {
    const auto prefix = Prefix::parse("240.1.1.1/24");
    REQUIRE(prefix);
    CHECK(prefix->text() == "240.1.1.0/24");
    CHECK(prefix->last().text() == "240.1.1.255");
    CHECK(prefix->contains(*Address::parse("240.1.1.20")));
    CHECK(!prefix->contains(*Address::parse("240.1.2.0")));
    CHECK(Prefix::parse("10.10.10.7")->is_host());
    CHECK(Prefix::parse("0.0.0.0/0")->contains(*Address::parse("255.1.2.3")));
    CHECK(!Prefix::parse("0.0.0.0/0")->contains(*Address::parse("::1")));
    CHECK(Prefix::parse("fd01:1::/64")->last().text() == "fd01:1::ffff:ffff:ffff:ffff");
    for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "::/129"})
        CHECK_MESSAGE(!Prefix::parse(text), text);
}

TEST_CASE("translation keeps the host part") {
    CHECK(translate(*Address::parse("192.168.1.20"), *Prefix::parse("192.168.1.0/24"),
                    *Prefix::parse("240.2.2.0/24")) == *Address::parse("240.2.2.20"));
    CHECK(translate(*Address::parse("10.7.3.9"), *Prefix::parse("10.0.0.0/13"), *Prefix::parse("240.8.0.0/13")) ==
          *Address::parse("240.15.3.9"));
}

TEST_CASE("endpoints") {
    CHECK(Endpoint::parse("127.0.0.1:1080")->text() == "127.0.0.1:1080");
    CHECK(Endpoint::parse("[::1]:1080")->text() == "[::1]:1080");
    for (const char* text :
         {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80", "host:80", ":80"})
        CHECK_MESSAGE(!Endpoint::parse(text), text);
}

TEST_CASE("an IPv4 address in the last 32 bits of an IPv6 address") {
    const Prefix prefix = *Prefix::parse("64:ff9b:2222::/96");
    const Address host = *Address::parse("192.168.1.20");
    CHECK(embed(prefix, host) == *Address::parse("64:ff9b:2222::192.168.1.20"));
    CHECK(embedded_in(embed(prefix, host)) == host);
}
