// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/random_site.h"

#include <array>
#include <string>

namespace natctl::test {

namespace {

Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }
Map map(const std::string& virt, const std::string& real) { return {prefix(virt), prefix(real), {}, {}}; }
Link proxy(unsigned port) {
    return SocksLink{.server = {.address = Address::v4(0x7f000001), .port = std::uint16_t(port)}};
}

class Dice {
public:
    explicit Dice(std::mt19937& random) : random_(random) {}

    unsigned below(unsigned count) { return static_cast<unsigned>(random_() % count); }
    bool once_in(unsigned count) { return below(count) == 0; }

    template <class Item>
    std::vector<Item> some_of(const std::vector<Item>& items) {
        std::vector<Item> chosen;
        for (const auto& item : items)
            if (once_in(2)) chosen.push_back(item);
        return chosen;
    }

private:
    std::mt19937& random_;
};

void maps(Site& site, Dice& dice) {
    site.maps = dice.some_of<Map>({
        map("240.1.10.0/24", "10.10.10.0/24"),
        map("240.1.1.64/26", "172.20.0.64/26"),
        map("240.1.1.80/28", "172.21.0.80/28"),
        map("240.1.1.255/32", "192.168.1.255/32"),
        map("fd01:1::/64", "fd00:a::/64"),
        map("fd01:1:0:0:5::/80", "fd00:b:0:0:5::/80"),
        map("fd01:1::200/128", "fd00:a::7/128"),
    });
    site.maps.push_back(map("240.1.1.0/24", "192.168.1.0/24"));
    for (unsigned i = 0, hosts = dice.below(6); i < hosts; ++i) {
        const auto real = (dice.once_in(2) ? "10.10.10." : "192.168.1.") + std::to_string(1 + i);
        site.maps.push_back(map("240.1.1." + std::to_string(10 * i + dice.below(9)), real));
    }
}

void embedding_maps(Site& site, Dice& dice) {
    site.embedding_maps.clear();
    for (const char* text : {"64:ff9b:1111::/96", "64:ff9b:1112::/96"}) {
        const auto reals =
            dice.some_of<Prefix>({prefix("192.168.1.0/24"), prefix("10.10.10.0/24"), prefix("10.9.0.0/16")});
        if (!reals.empty()) site.embedding_maps.push_back({prefix(text), reals, {}});
    }
}

Link random_link(unsigned peer, Dice& dice) {
    switch (dice.below(5)) {
    case 0: return proxy(1080 + peer);
    case 1: return DevLink{.dev = "wg0"};
    case 2: return DevLink{.dev = "wg9"};
    case 3:
        return DevLink{.dev = "ov0",
                       .via4 = Address::v4(0xac1f0002 + peer),
                       .via6 = Address::parse("fd00:ff::" + std::to_string(2 + peer))};
    default: return DevLink{.dev = "ov0"};
    }
}

void peers(Site& site, Dice& dice) {
    site.peers.clear();
    for (unsigned i = 0, count = dice.below(6); i < count; ++i) {
        const auto number = std::to_string(2 + i);
        Peer peer{.name = "p" + number,
                  .virtual_prefixes = dice.some_of<Prefix>(
                      {prefix("240." + number + ".10.0/24"), prefix("240." + number + ".16.0/20"),
                       prefix("fd01:" + number + "::/64"), prefix("64:ff9b:222" + number + "::/96")}),
                  .links = {random_link(i, dice)}};
        peer.virtual_prefixes.push_back(prefix("240." + number + "." + number + ".0/24"));
        if (dice.once_in(3)) peer.links.push_back(proxy(1180 + i));
        site.peers.push_back(std::move(peer));
    }
}

void white_list(Site& site, Dice& dice) {
    site.white_list = {};
    site.white_list.prefixes = dice.some_of<Prefix>({
        prefix("198.51.100.0/24"),
        prefix("198.51.100.128/25"),
        prefix("198.51.101.0/24"),
        prefix("203.0.113.7/32"),
        prefix("2001:db8::/32"),
        prefix("2001:db8:7::/48"),
    });
    if (dice.once_in(3)) site.white_list.endpoints = {random_endpoint};
    if (dice.once_in(3)) site.white_list.interfaces = {"ov0"};
    site.white_list.private_networks = dice.once_in(3);
}

void intercept(Site& site, Dice& dice) {
    site.intercept.reset();
    if (dice.once_in(2)) return;
    Intercept made;
    made.proxy.server = {.address = Address::v4(0x7f000001), .port = 1280};
    if (dice.once_in(3)) made.from = {site.lan.front()};
    made.to = dice.some_of<Prefix>({prefix("8.8.0.0/16"), prefix("1.1.0.0/16"), prefix("2606:4700::/32")});
    if (dice.once_in(3)) made.by = InterceptBy::redirect;
    const auto protocols = dice.below(3);
    made.udp = made.by == InterceptBy::tproxy && protocols != 0;
    made.tcp = !made.udp || protocols != 1;
    made.local = dice.once_in(2);
    if (dice.once_in(2)) made.except_marks = {Mark{0xff, 0xff}};
    if (made.local) made.except_users = dice.some_of<std::string>({"nobody", "4711"});
    site.intercept = made;
}

void helpers(Site& site, Dice& dice) { site.helpers = dice.some_of<Helper>({Helper::ftp, Helper::sip}); }

void lan(Site& site, Dice& dice) {
    site.lan = dice.once_in(2) ? std::vector<std::string>{"lan0"} : std::vector<std::string>{"lan0", "lan1"};
    if (site.intercept) site.intercept->from.clear();
}

void marks(Site& site, Dice& dice) { site.marks = Marks(std::array{0xf00u, 0xf000u, 0xf0000000u}[dice.below(3)]); }

void tunnel(Site& site, Dice& dice) {
    site.tunnel.port = static_cast<std::uint16_t>(12345 + 10 * dice.below(2));
    site.tunnel.redirect_port = static_cast<std::uint16_t>(site.tunnel.port + 1);
    site.tunnel.embedded_port = static_cast<std::uint16_t>(site.tunnel.port + 2);
}

constexpr std::array parts{lan, maps, embedding_maps, peers, white_list, intercept, helpers, marks, tunnel};

} // namespace

Site random_site(std::mt19937& random) {
    Dice dice(random);
    Site site;
    site.name = "a";
    for (const auto part : parts) part(site, dice);
    return site;
}

Site random_edit(Site site, std::mt19937& random) {
    Dice dice(random);
    parts.at(dice.below(parts.size()))(site, dice);
    return site;
}

std::vector<RunTimeEntry> random_entries(std::mt19937& random) {
    Dice dice(random);
    std::vector<RunTimeEntry> entries;
    for (auto count = dice.below(5); count > 0; --count) {
        const auto address = Address::v4(0xcb007100 + dice.below(256));
        RunTimeEntry entry{.prefix = Prefix(address, 26 + dice.below(7))};
        if (dice.once_in(4)) entry.prefix = Prefix(Address::parse("2001:db8:9::").value(), 48 + dice.below(40));
        if (dice.once_in(2)) entry.lifetime = std::chrono::hours(1 + dice.below(3));
        entries.push_back(entry);
    }
    return entries;
}

} // namespace natctl::test
