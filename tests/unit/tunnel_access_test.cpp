// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/access.h"

#include <doctest/doctest.h>

using namespace natctl;
using Kind = Decision::Kind;

namespace {

Address address(const char* text) { return *Address::parse(text); }

std::vector<Prefix> prefixes(const std::vector<const char*>& texts) {
    std::vector<Prefix> result;
    for (const char* text : texts) result.push_back(*Prefix::parse(text));
    return result;
}

Site site_a() {
    Site site;
    site.name = "a";
    site.maps.push_back({*Prefix::parse("240.1.1.0/24"), *Prefix::parse("192.168.1.0/24"), "", {}});
    site.maps.push_back({*Prefix::parse("240.1.1.200"), *Prefix::parse("10.10.10.7"), "printer", {}});
    site.maps.push_back({*Prefix::parse("fd01:1::/64"), *Prefix::parse("fd00:a::/64"), "", {}});
    Peer b;
    b.name = "b";
    b.virtual_prefixes = prefixes({"240.2.2.0/24", "fd01:2::/64"});
    b.links.push_back(SocksLink{*Endpoint::parse("198.51.100.2:1080"), std::nullopt});
    site.peers.push_back(b);
    return site;
}

ProxyListener listener(const char* listen, const std::vector<const char*>& allow = {},
                       const std::vector<const char*>& to = {}) {
    ProxyListener result;
    result.listen = *Endpoint::parse(listen);
    result.allow = prefixes(allow);
    result.to = prefixes(to);
    return result;
}

/// The first listener is the one asked.
Access access(const std::vector<ProxyListener>& listeners) {
    Site site = site_a();
    site.tunnel.listeners = listeners;
    return {std::make_shared<const Directory>(site), listeners.front()};
}

Decision decide(const Access& access, const char* host, std::uint16_t port = 80) {
    const auto plain = Address::parse(host);
    return access.decide(plain ? socks5::Destination{*plain, port} : socks5::Destination{host, port});
}

Kind kind(const Access& access, const char* host, std::uint16_t port = 80) { return decide(access, host, port).kind; }

} // namespace

TEST_CASE("a source is admitted by list, and by default only on loopback or with credentials") {
    const auto listed = access({listener("198.51.100.1:1080", {"198.51.100.2/32", "2001:db8::/32"})});
    CHECK(listed.admits(address("198.51.100.2")));
    CHECK(listed.admits(address("::ffff:198.51.100.2")));
    CHECK(listed.admits(address("2001:db8::1")));
    CHECK(!listed.admits(address("198.51.100.3")));
    CHECK(!listed.admits(address("127.0.0.1")));

    CHECK(access({listener("127.0.0.1:1080")}).admits(address("127.0.0.1")));
    CHECK(!access({listener("198.51.100.1:1080")}).admits(address("198.51.100.2")));
    CHECK(!access({listener("0.0.0.0:1080")}).admits(address("127.0.0.1")));

    auto with_password = listener("198.51.100.1:1080");
    with_password.credentials = Credentials{"a", "/etc/natctl/a.password", {}};
    CHECK(access({with_password}).admits(address("203.0.113.9")));
    // Both together: a listed source that knows the password.
    with_password.allow = prefixes({"198.51.100.2/32"});
    CHECK(!access({with_password}).admits(address("203.0.113.9")));

    // A list counts on loopback too.
    CHECK(!access({listener("127.0.0.1:1080", {"127.0.0.2/32"})}).admits(address("127.0.0.1")));
}

TEST_CASE("a listener for peers dials the own virtual addresses and nothing else") {
    const auto peers = access({listener("198.51.100.1:1080", {"198.51.100.2/32"})});
    for (const char* own : {"240.1.1.20", "::ffff:240.1.1.20", "240.1.1.200", "fd01:1::20", "printer", "printer.a"}) {
        CAPTURE(own);
        const Decision decision = decide(peers, own);
        CHECK(decision.kind == Kind::direct);
        REQUIRE(decision.destination.address());
        CHECK(*decision.destination.address() == decision.destination.address()->unmapped());
    }
    CHECK(decide(peers, "printer", 9100).destination == socks5::Destination{address("240.1.1.200"), 9100});
    for (const char* other : {"192.168.1.20",
                              "10.10.10.7",
                              "240.2.2.20",
                              "fd01:2::20",
                              "240.1.2.0",
                              "1.1.1.1",
                              "::ffff:192.168.1.20",
                              "fd00:a::1",
                              "web.b",
                              "example.net",
                              "localhost",
                              "127.0.0.1",
                              "::1",
                              "::ffff:127.0.0.1",
                              "0.0.0.0",
                              "::",
                              "169.254.169.254",
                              "fe80::1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::127.0.0.1",
                              "64:ff9b::7f00:1"})
        CHECK_MESSAGE(kind(peers, other) == Kind::refuse, other);
    CHECK(kind(peers, "240.1.1.20", 0) == Kind::refuse);
}

TEST_CASE("a listener on loopback reaches the peers too, by address and by name") {
    for (const char* listen : {"127.0.0.1:1080", "[::1]:1080"}) {
        const auto local = access({listener(listen)});
        const Decision decision = decide(local, "240.2.2.20");
        CHECK(decision.kind == Kind::peer);
        CHECK(decision.peer == 0);
        CHECK(decision.destination == socks5::Destination{address("240.2.2.20"), 80});
        CHECK(kind(local, "::ffff:240.2.2.20") == Kind::peer);
        CHECK(kind(local, "fd01:2::20") == Kind::peer);
        CHECK(kind(local, "240.1.1.20") == Kind::direct);
        const Decision by_name = decide(local, "web.b", 8080);
        CHECK(by_name.kind == Kind::peer);
        CHECK(by_name.destination == socks5::Destination{"web", 8080});
        for (const char* other : {"1.1.1.1", "192.168.1.20", "127.0.0.1", "::1", "example.net", "localhost", "web.c"})
            CHECK_MESSAGE(kind(local, other) == Kind::refuse, other);
    }
}

TEST_CASE("more destinations by `to`, names among them once they are looked up") {
    const auto open = access({listener("198.51.100.1:1080", {"198.51.100.2/32"}, {"0.0.0.0/0", "::/0"})});
    CHECK(kind(open, "1.1.1.1") == Kind::direct);
    CHECK(kind(open, "2606:4700::1111") == Kind::direct);
    CHECK(kind(open, "240.1.1.20") == Kind::direct);
    CHECK(kind(open, "example.net") == Kind::resolve);
    CHECK(decide(open, "example.net").destination == socks5::Destination{"example.net", 80});
    // In transit to a peer, by its link.
    CHECK(kind(open, "240.2.2.20") == Kind::peer);
    // Only local programs may have a peer look up names.
    CHECK(kind(open, "web.b") == Kind::resolve);
    // A prefix that merely covers them is not enough.
    for (const char* special : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0.0.0.0", "0.1.2.3",
                                "::", "::ffff:0.0.0.0", "169.254.169.254", "::ffff:169.254.169.254", "fe80::1",
                                "224.0.0.251", "ff02::1", "255.255.255.255", "::127.0.0.1"})
        CHECK_MESSAGE(kind(open, special) == Kind::refuse, special);

    const auto narrow = access({listener("198.51.100.1:1080", {"198.51.100.2/32"}, {"203.0.113.0/24"})});
    CHECK(kind(narrow, "203.0.113.9") == Kind::direct);
    CHECK(kind(narrow, "203.0.114.9") == Kind::refuse);
    CHECK(kind(narrow, "240.2.2.20") == Kind::refuse);

    const auto own_machine = access({listener("127.0.0.1:1080", {}, {"127.0.0.0/8", "::1/128"})});
    CHECK(kind(own_machine, "127.0.0.1") == Kind::direct);
    CHECK(kind(own_machine, "::ffff:127.0.0.1") == Kind::direct);
    CHECK(kind(own_machine, "::1") == Kind::direct);
    CHECK(kind(own_machine, "0.0.0.0") == Kind::refuse);
    CHECK(kind(own_machine, "169.254.169.254") == Kind::refuse);
}

TEST_CASE("names that are addresses are judged as addresses") {
    const auto open = access({listener("198.51.100.1:1080", {"198.51.100.2/32"}, {"0.0.0.0/0", "::/0"})});
    const auto by_name = [&](const char* name) { return open.decide(socks5::Destination{name, 80}).kind; };
    CHECK(by_name("1.1.1.1") == Kind::direct);
    for (const char* name : {"127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"})
        CHECK_MESSAGE(by_name(name) == Kind::refuse, name);
    // Forms that only a resolver understands are judged by what it makes of them.
    CHECK(by_name("2130706433") == Kind::resolve);
    for (const std::string& name :
         {std::string(), std::string("a b"), std::string("a\0b", 3), std::string("a\nb"), std::string("[::1]"),
          std::string("b\xc3\xbc"), std::string("a/b"), std::string("fe80::1%eth0")})
        CHECK(open.decide(socks5::Destination{name, 80}).kind == Kind::refuse);
}

TEST_CASE("no connection leads back to a listener of the tunnel") {
    const std::vector<ProxyListener> listeners{listener("127.0.0.1:1080", {}, {"127.0.0.0/8", "198.51.100.0/24"}),
                                               listener("198.51.100.1:1081", {"198.51.100.2/32"}),
                                               listener("192.168.1.1:1082", {"192.168.1.0/24"}),
                                               listener("0.0.0.0:1083", {"192.168.1.0/24"})};
    const auto local = access(listeners);
    CHECK(kind(local, "127.0.0.1", 1080) == Kind::refuse);
    CHECK(kind(local, "::ffff:127.0.0.1", 1080) == Kind::refuse);
    CHECK(kind(local, "127.0.0.1", 12345) == Kind::refuse);
    CHECK(kind(local, "127.0.0.1", 1079) == Kind::direct);
    CHECK(kind(local, "198.51.100.1", 1081) == Kind::refuse);
    CHECK(kind(local, "198.51.100.1", 22) == Kind::direct);
    // By their virtual address, which the kernel translates back.
    CHECK(kind(local, "240.1.1.1", 1082) == Kind::refuse);
    CHECK(kind(local, "240.1.1.1", 22) == Kind::direct);
    CHECK(kind(local, "240.1.1.2", 1082) == Kind::direct);
    // A listener on every address is behind whichever of the own addresses is this machine.
    CHECK(kind(local, "240.1.1.1", 1083) == Kind::refuse);
}
