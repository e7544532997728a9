// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <doctest/doctest.h>

#include "nftctl/xray/configuration.h"
#include "tests/unit/site_mistake.h"

using namespace natctl;
using Json = nlohmann::ordered_json;

namespace {

Site parse(const std::string& text) {
    auto result = parse_site(text);
    CAPTURE(render(result.diagnostics, "site.toml", text));
    REQUIRE(result.site);
    return std::move(*result.site);
}

const XraySecrets secrets{{"a.id", "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa"},
                          {"b.id", "bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb"},
                          {"c.id", "cccccccc-3333-4333-8333-cccccccccccc"},
                          {"b.password", "open sesame"}};

const std::string everything = R"(site = "a"
lan = "lan0"
[[map]]
virtual = "198.18.1.0/24"
real = "192.168.1.0/24"
[[map]]
virtual = "198.18.1.200"
real = "10.10.10.7"
[[map]]
virtual = "fd01:1::/64"
real = "fd00:a::/64"
[[peer]]
name = "b"
virtual = ["198.18.2.0/24", "fd01:2::/64"]
link = { socks5 = "127.0.0.1:1080" }
xray = { server = "b.example.net:443", id_file = "b.id" }
[[peer]]
name = "c"
virtual = "198.18.3.0/24"
link = [ { dev = "wg0" }, { socks5 = "[::1]:1081" } ]
xray = { server = "[2001:db8::3]:8443", id_file = "c.id" }
[xray]
listen = "203.0.113.1:443"
id_file = "a.id"
)";

const Json expected = Json::parse(R"({
  "log": { "loglevel": "warning", "access": "none" },
  "inbounds": [
    { "tag": "socks-127.0.0.1:1080", "listen": "127.0.0.1", "port": 1080, "protocol": "socks",
      "settings": { "auth": "noauth", "udp": true, "ip": "127.0.0.1" } },
    { "tag": "socks-[::1]:1081", "listen": "::1", "port": 1081, "protocol": "socks",
      "settings": { "auth": "noauth", "udp": true, "ip": "::1" } },
    { "tag": "vless", "listen": "203.0.113.1", "port": 443, "protocol": "vless",
      "settings": { "clients": [ { "id": "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa" } ], "decryption": "none" },
      "streamSettings": { "network": "tcp" } }
  ],
  "outbounds": [
    { "tag": "blocked", "protocol": "blackhole" },
    { "tag": "b", "protocol": "vless",
      "settings": { "vnext": [ { "address": "b.example.net", "port": 443,
        "users": [ { "id": "bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb", "encryption": "none" } ] } ] },
      "streamSettings": { "network": "tcp", "sockopt": { "mark": 512 } } },
    { "tag": "c", "protocol": "vless",
      "settings": { "vnext": [ { "address": "2001:db8::3", "port": 8443,
        "users": [ { "id": "cccccccc-3333-4333-8333-cccccccccccc", "encryption": "none" } ] } ] },
      "streamSettings": { "network": "tcp", "sockopt": { "mark": 512 } } },
    { "tag": "direct", "protocol": "freedom",
      "settings": { "finalRules": [ { "action": "allow", "ip": ["198.18.1.0/24", "fd01:1::/64"] } ] },
      "streamSettings": { "sockopt": { "mark": 512 } } }
  ],
  "routing": { "domainStrategy": "AsIs", "rules": [
    { "type": "field", "inboundTag": ["socks-127.0.0.1:1080"], "ip": ["198.18.2.0/24", "fd01:2::/64"],
      "outboundTag": "b" },
    { "type": "field", "inboundTag": ["socks-[::1]:1081"], "ip": ["198.18.3.0/24"], "outboundTag": "c" },
    { "type": "field", "inboundTag": ["vless"], "ip": ["198.18.1.0/24", "fd01:1::/64"], "outboundTag": "direct" }
  ] }
})");

/// Also in the order of keys.
void check_equal(const Json& found, const Json& wanted) { CHECK(found.dump(2) == wanted.dump(2)); }

} // namespace

TEST_CASE("the configuration of a site with everything, for Xray") {
    check_equal(xray_configuration(parse(everything), secrets, XrayKind::xray), expected);
}

TEST_CASE("v2ray's has no finalRules, and is the same otherwise") {
    auto wanted = expected;
    wanted["outbounds"][3]["settings"] = Json::object();
    check_equal(xray_configuration(parse(everything), secrets, XrayKind::v2ray), wanted);
}

TEST_CASE("the mark is one of the site's own") {
    const auto found = xray_configuration(parse(everything + "[marks]\nmask = 0xf0000\n"), secrets, XrayKind::xray);
    CHECK(found["outbounds"][1]["streamSettings"]["sockopt"]["mark"] == 0x20000);
    CHECK(found["outbounds"][3]["streamSettings"]["sockopt"]["mark"] == 0x20000);
}

TEST_CASE("prefixes that carry IPv4 addresses are own prefixes as well") {
    const auto site = parse(everything + map_of("'64:ff9b:1111::/96'", "['192.168.1.0/24']"));
    const auto found = xray_configuration(site, secrets, XrayKind::xray);
    CHECK(found["routing"]["rules"][2]["ip"] == Json({"198.18.1.0/24", "64:ff9b:1111::/96", "fd01:1::/64"}));
}

TEST_CASE("a site that only dials has neither VLESS inbound nor freedom") {
    const auto site = parse(everything.substr(0, everything.find("[xray]")));
    const auto found = xray_configuration(site, secrets, XrayKind::xray);
    CHECK(found["inbounds"].size() == 2);
    CHECK(found["outbounds"].size() == 3);
    CHECK(found["routing"]["rules"].size() == 2);
    CHECK(found.dump().find("freedom") == std::string::npos);
    CHECK(found.dump().find(secrets.at("a.id")) == std::string::npos);
}

TEST_CASE("without maps nothing is reached: no rule with an empty list, which would mean everything") {
    const auto found = xray_configuration(parse(site_head + "[xray]\nlisten = '203.0.113.1:443'\nid_file = 'a.id'\n"),
                                          secrets, XrayKind::xray);
    CHECK(found["inbounds"].size() == 1);
    CHECK(found["outbounds"].size() == 1);
    CHECK(found["outbounds"][0]["protocol"] == "blackhole");
    CHECK(found["routing"]["rules"].empty());
}

TEST_CASE("peers behind one inbound share it; passwords of their links are asked for") {
    const std::string link = "{ socks5 = '127.0.0.1:1080', user = 'u', password_file = 'b.password' }";
    const auto site = parse(
        good_site + peer_of("'b'", "'198.18.2.0/24'", link) + "xray = { server = 'b.example:1', id_file = 'b.id' }\n" +
        peer_of("'c'", "'198.18.3.0/24'", link) + "xray = { server = 'c.example:1', id_file = 'c.id' }\n");
    const auto found = xray_configuration(site, secrets, XrayKind::xray);
    REQUIRE(found["inbounds"].size() == 1);
    check_equal(found["inbounds"][0]["settings"],
                Json::parse(R"({ "auth": "password", "accounts": [ { "user": "u", "pass": "open sesame" } ],
                                 "udp": true, "ip": "127.0.0.1" })"));
    CHECK(found["routing"]["rules"][0]["outboundTag"] == "b");
    CHECK(found["routing"]["rules"][1]["outboundTag"] == "c");
}

TEST_CASE("peers without xray have no part in it") {
    const std::string plain = peer_of("'d'", "'198.18.4.0/24'", "{ socks5 = '127.0.0.1:1090' }");
    CHECK(!uses_xray(parse(good_site + plain)));
    CHECK(uses_xray(parse(everything)));
    check_equal(xray_configuration(parse(everything + plain), secrets, XrayKind::xray), expected);
}

TEST_CASE("UUIDs") {
    CHECK(is_uuid("5783a3e7-e373-51cd-8642-c83782b807c5"));
    CHECK(is_uuid("5783A3E7-E373-51CD-8642-C83782B807C5"));
    CHECK(!is_uuid(""));
    CHECK(!is_uuid("5783a3e7-e373-51cd-8642-c83782b807c"));
    CHECK(!is_uuid("5783a3e7-e373-51cd-8642-c83782b807c55"));
    CHECK(!is_uuid("5783a3e7e373-51cd-8642-c83782b807c5-"));
    CHECK(!is_uuid("5783a3e7-e373-51cd-8642-c83782b807cg"));
}
