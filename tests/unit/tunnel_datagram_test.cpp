// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tunnel/access.h"
#include "tunnel/socks5.h"

using namespace natctl;
using namespace natctl::socks5;

namespace {

Address address(const char* text) { return *Address::parse(text); }

Bytes bytes_of(View view) { return {view.begin(), view.end()}; }

} // namespace

TEST_CASE("a datagram's header is written and read") {
    for (const Destination& destination :
         {Destination{address("240.2.2.20"), 53}, Destination{address("64:ff9b:2222::c0a8:114"), 65535},
          Destination{std::string("printer.b"), 1}, Destination{std::string(255, 'x'), 0}}) {
        CAPTURE(destination.text());
        Bytes bytes = bytes_of(DatagramPrefix(destination).bytes());
        const std::size_t size = bytes.size();
        for (std::size_t shorter = 0; shorter < size; ++shorter) CHECK(!parse_datagram(View(bytes).first(shorter)));
        bytes.insert(bytes.end(), {1, 2, 3});
        const auto header = parse_datagram(bytes);
        REQUIRE(header);
        CHECK(header->destination == destination);
        CHECK(header->fragment == 0);
        CHECK(header->size == size);
        bytes[0] = bytes[1] = 9;
        bytes[2] = 0x81;
        CHECK(parse_datagram(bytes)->fragment == 0x81);
    }
    CHECK(DatagramPrefix({address("240.2.2.20"), 53}).bytes().size() == 10);
    CHECK(DatagramPrefix({address("::1"), 53}).bytes().size() == 22);
    CHECK(!parse_datagram(Bytes{0, 0, 0, 2, 1, 2, 3, 4, 5, 6}));
}

TEST_CASE("where a proxy's UDP port is") {
    const Endpoint server{address("198.51.100.2"), 1080};
    const auto relay = [&](const char* bound, std::uint16_t port = 4000) {
        return relay_endpoint(Destination{address(bound), port}, server);
    };
    CHECK(relay("198.51.100.9") == Endpoint{address("198.51.100.9"), 4000});
    CHECK(relay("0.0.0.0") == Endpoint{server.address, 4000});
    CHECK(relay("::") == Endpoint{server.address, 4000});
    CHECK(relay("0.0.0.0", 1080) == server);
    CHECK(relay("127.0.0.1") == Endpoint{server.address, 4000});
    CHECK(relay("::ffff:198.51.100.9") == Endpoint{address("198.51.100.9"), 4000});
    CHECK(!relay("198.51.100.2", 0));
    CHECK(relay_endpoint({std::string("proxy.example"), 4000}, server) == Endpoint{server.address, 4000});
    CHECK(relay_endpoint({std::string("192.0.2.7"), 4000}, server) == Endpoint{address("192.0.2.7"), 4000});
    const Endpoint local{address("127.0.0.1"), 1080};
    CHECK(relay_endpoint({address("127.0.0.1"), 4000}, local) == Endpoint{local.address, 4000});
}

namespace {

Site site_a() {
    Site site;
    site.name = "a";
    site.maps.push_back({*Prefix::parse("240.1.1.0/24"), *Prefix::parse("192.168.1.0/24"), "", {}});
    site.maps.push_back({*Prefix::parse("240.1.10.0/24"), *Prefix::parse("10.10.10.0/24"), "", {}});
    site.maps.push_back({*Prefix::parse("240.1.1.200"), *Prefix::parse("10.10.10.7"), "printer", {}});
    Peer b;
    b.name = "b";
    b.virtual_prefixes = {*Prefix::parse("240.2.2.0/24")};
    site.peers.push_back(b);
    return site;
}

} // namespace

TEST_CASE("real addresses have the virtual ones that the kernel gives them") {
    const Directory directory(site_a());
    CHECK(directory.virtual_of(address("192.168.1.20")) == address("240.1.1.20"));
    CHECK(directory.virtual_of(address("10.10.10.5")) == address("240.1.10.5"));
    // The host goes before the prefix.
    CHECK(directory.virtual_of(address("10.10.10.7")) == address("240.1.1.200"));
    // Its name belongs to the printer.
    CHECK(!directory.virtual_of(address("192.168.1.200")));
    CHECK(!directory.virtual_of(address("192.168.2.1")));
    CHECK(!directory.virtual_of(address("fd00::1")));
}

TEST_CASE("who may send datagrams to a client, and under which name") {
    ProxyListener listener;
    listener.listen = *Endpoint::parse("198.51.100.1:1080");
    listener.to = {*Prefix::parse("203.0.113.0/24"), *Prefix::parse("0.0.0.0/1")};
    const Access access(std::make_shared<const Directory>(site_a()), listener);
    CHECK(access.name_of_source(address("240.1.1.20")) == address("240.1.1.20"));
    CHECK(access.name_of_source(address("192.168.1.20")) == address("240.1.1.20"));
    CHECK(access.name_of_source(address("203.0.113.5")) == address("203.0.113.5"));
    CHECK(!access.name_of_source(address("198.51.100.66")));
    CHECK(!access.name_of_source(address("192.168.1.200")));
    CHECK(!access.name_of_source(address("240.2.2.20")));
    CHECK(!access.name_of_source(address("127.0.0.1")));
}

TEST_CASE("addresses that carry IPv4 ones lead to the hosts of the map's list, and nowhere else") {
    Site site = site_a();
    site.embedding_maps.push_back({*Prefix::parse("64:ff9b:1111::/96"),
                                   {*Prefix::parse("192.168.1.0/24"), *Prefix::parse("10.10.10.0/24"),
                                    *Prefix::parse("127.0.0.0/8"), *Prefix::parse("169.254.0.0/16")},
                                   {}});
    ProxyListener listener;
    listener.listen = *Endpoint::parse("192.168.1.1:1080");
    ProxyListener everywhere;
    everywhere.listen = *Endpoint::parse("0.0.0.0:1081");
    site.tunnel.listeners = {listener, everywhere};
    const auto directory = std::make_shared<const Directory>(site);
    const Access access(directory, listener);
    const auto reached = [&](const char* text, std::uint16_t port = 80) -> std::optional<Endpoint> {
        const Endpoint wanted{address(text), port};
        const auto carried = directory->carried_endpoint(wanted);
        // The SOCKS5 server has the same opinion.
        const Decision decision = access.decide(Destination::of(wanted));
        CHECK((decision.kind == Decision::Kind::direct) == carried.has_value());
        if (carried) CHECK(decision.destination == Destination::of(*carried));
        // And a ping the same, as far as it has no port.
        if (carried) CHECK(directory->carried_host(wanted.address) == carried->address);
        return carried;
    };
    CHECK(reached("64:ff9b:1111::192.168.1.20") == Endpoint{address("192.168.1.20"), 80});
    CHECK(reached("64:ff9b:1111::10.10.10.5") == Endpoint{address("10.10.10.5"), 80});
    CHECK(reached("64:ff9b:1111::192.168.1.1", 22) == Endpoint{address("192.168.1.1"), 22});
    for (const char* forbidden : {"127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255",
                                  "192.168.2.1", "198.51.100.66", "240.1.1.20"})
        CHECK_MESSAGE(!reached((std::string("64:ff9b:1111::") + forbidden).c_str()), forbidden);
    for (const char* forbidden :
         {"64:ff9b:1111::127.0.0.1", "64:ff9b:1111::198.51.100.66", "64:ff9b:1112::192.168.1.20"})
        CHECK_MESSAGE(!directory->carried_host(address(forbidden)), forbidden);
    CHECK(!reached("64:ff9b:1111::192.168.1.1", 1080));
    CHECK(!reached("64:ff9b:1111::192.168.1.20", 1081));
    CHECK(!reached("64:ff9b:1111::192.168.1.20", 0));
    CHECK(!reached("64:ff9b:1112::192.168.1.20"));

    const Carrier* carrier = directory->carrier_of(address("64:ff9b:1111::1"));
    REQUIRE(carrier);
    CHECK(carrier->name_of(address("10.10.10.5")) == address("64:ff9b:1111::10.10.10.5"));
    CHECK(!carrier->name_of(address("198.51.100.66")));
    CHECK(!carrier->name_of(address("127.0.0.1")));
    CHECK(!carrier->name_of(address("fd00::1")));
}
