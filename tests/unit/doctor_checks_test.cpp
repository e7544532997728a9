// SPDX-License-Identifier: GPL-3.0-or-later
#include <cerrno>
#include <functional>

#include <doctest/doctest.h>

#include "nftctl/doctor/base64.h"
#include "nftctl/doctor/examine.h"
#include "tests/unit/doctor_sample.h"

using namespace natctl;
using namespace natctl::doctor;
using namespace natctl::test;

namespace {

using Harm = std::function<void(Examination&)>;

/// What a check says after one thing was changed on a healthy machine.
Findings after(const std::string& check, const Harm& harm, const Site& site = sample_site()) {
    auto seen = sample_examination(site);
    harm(seen);
    return findings_of(check, site, seen);
}

Harm sysctl(const std::string& name, const std::string& value) {
    return [=](Examination& seen) { seen.sysctls->insert_or_assign(name, value); };
}

Harm address(const std::string& interface, const std::string& text, unsigned length) {
    return [=](Examination& seen) {
        for (Interface& item : seen.facts->interfaces)
            if (item.name == interface) item.addresses.push_back({*Address::parse(text), length});
    };
}

Site with_ipv6() {
    Site site = sample_site();
    site.maps.push_back({*Prefix::parse("fd01:1::/64"), *Prefix::parse("fd00:a::/64"), {}, {}});
    return site;
}

/// The tunnel listens on tunnel.redirect_port as well.
Site redirecting_site() {
    Site site = sample_proxy_site();
    site.intercept = Intercept{.by = InterceptBy::redirect, .proxy = {.server = *Endpoint::parse("127.0.0.1:1081")}};
    return site;
}

/// And here on tunnel.embedded_port.
Site embedding_site() {
    Site site = sample_proxy_site();
    site.embedding_maps.push_back(
        {.virtual_prefix = *Prefix::parse("64:ff9b:1:1::/96"), .real_prefixes = {*Prefix::parse("192.168.1.0/24")}});
    return site;
}

} // namespace

TEST_CASE("a healthy machine has nothing but ok") {
    for (const Site& site : {sample_site(), sample_proxy_site()}) {
        const auto findings = diagnose(&site, sample_examination(site));
        CHECK(findings.size() == count_checks());
        CHECK(count_checks() >= 25);
        for (const Finding& finding : findings) CHECK_MESSAGE(finding.grade == Grade::ok, finding.what);
    }
}

TEST_CASE("what could not be looked at is said, and is no error") {
    const Site site = sample_site();
    for (const Finding& finding : diagnose(&site, Examination()))
        if (finding.check != "configuration" && finding.check != "privileges")
            CHECK_MESSAGE((finding.grade == Grade::note || finding.grade == Grade::ok), finding.check << finding.what);
    CHECK(command_of(findings_of("forwarding4", site, Examination()), Grade::note, "could not be checked").empty());
}

TEST_CASE("without a site the machine is checked alone") {
    const auto findings = diagnose(nullptr, sample_examination(sample_site()));
    CHECK(!findings.empty());
    CHECK(findings.size() < count_checks());
}

TEST_CASE("kernel") {
    const auto lacks = [](int error) { return [error](Examination& seen) { seen.features->front().error = error; }; };
    CHECK(command_of(after("kernel-features", lacks(ENOENT)), Grade::error, "NETMAP") == "modprobe nft_nat");
    const auto old = after("kernel-features", lacks(EOPNOTSUPP));
    CHECK(command_of(old, Grade::error, "NETMAP").empty());
    CHECK(old.front().advice.find("Linux 5.8") != std::string::npos);
    CHECK(command_of(after("ipv6", sysctl("net.ipv6.conf.all.disable_ipv6", "1"), with_ipv6()), Grade::error,
                     "switched off") == "sysctl -w net.ipv6.conf.all.disable_ipv6=0");
    command_of(
        after(
            "ipv6", [](Examination& seen) { seen.sysctls->erase("net.ipv6.conf.all.disable_ipv6"); }, with_ipv6()),
        Grade::error, "no IPv6");
    command_of(
        after("privileges", [](Examination& seen) { seen.plan = Seen<Plan>::failed("Operation not permitted"); }),
        Grade::error, "not permitted");
}

TEST_CASE("sysctls") {
    CHECK(command_of(after("forwarding4", sysctl("net.ipv4.ip_forward", "0")), Grade::error, "IPv4") ==
          "sysctl -w net.ipv4.ip_forward=1");
    CHECK(command_of(after("forwarding6", sysctl("net.ipv6.conf.all.forwarding", "0"), with_ipv6()), Grade::error,
                     "IPv6") == "sysctl -w net.ipv6.conf.all.forwarding=1");
    CHECK(after("forwarding6", sysctl("net.ipv6.conf.all.forwarding", "0")).front().grade == Grade::ok);
    CHECK(command_of(after("interface-forwarding", sysctl("net.ipv4.conf.ov0.forwarding", "0")), Grade::error, "ov0") ==
          "sysctl -w net.ipv4.conf.ov0.forwarding=1");
    CHECK(command_of(after("route-localnet", sysctl("net.ipv4.conf.lan0.route_localnet", "1")), Grade::warning,
                     "lan0") == "sysctl -w net.ipv4.conf.lan0.route_localnet=0");
    CHECK(command_of(after("conntrack-room", sysctl("net.netfilter.nf_conntrack_count", "850")), Grade::warning,
                     "850 of at most 1000") == "sysctl -w net.netfilter.nf_conntrack_max=4000");
    command_of(after("conntrack-room", sysctl("net.netfilter.nf_conntrack_count", "999")), Grade::error, "999");
    command_of(after("conntrack-timeout", sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", "60")),
               Grade::warning, "60 s");
    command_of(after("conntrack-accounting", sysctl("net.netfilter.nf_conntrack_acct", "0")), Grade::note,
               "not accounted");
    command_of(after("open-files", sysctl("fs.file-nr", "90000 0 100000")), Grade::warning, "90000");
    CHECK(interface_sysctl(Family::ipv4, "eth0.5", "rp_filter") == "net/ipv4/conf/eth0.5/rp_filter");
}

TEST_CASE("a port of the tunnel among those of outgoing connections") {
    const auto range = sysctl("net.ipv4.ip_local_port_range", "1024 65535");
    CHECK(command_of(after("port-range", range, sample_proxy_site()), Grade::warning, "12345") ==
          "sysctl -w net.ipv4.ip_local_reserved_ports=12345");
    const auto reserved = [&](const std::string& list) {
        return after(
            "port-range",
            [&](Examination& seen) {
                range(seen);
                seen.sysctls->insert_or_assign("net.ipv4.ip_local_reserved_ports", list);
            },
            sample_proxy_site());
    };
    CHECK(reserved("80,12000-13000").front().grade == Grade::ok);
    CHECK(command_of(reserved("80"), Grade::warning, "12345") == "sysctl -w net.ipv4.ip_local_reserved_ports=80,12345");
    CHECK(command_of(after("port-range", range, redirecting_site()), Grade::warning, "12345, 12346") ==
          "sysctl -w net.ipv4.ip_local_reserved_ports=12345,12346");
    CHECK(command_of(after("port-range", range, embedding_site()), Grade::warning, "12345, 12347") ==
          "sysctl -w net.ipv4.ip_local_reserved_ports=12345,12347");
}

TEST_CASE("several links and a strict reverse path filter") {
    Site site = sample_site();
    site.peers.front().links.push_back(DevLink{.dev = "wan0"});
    auto seen = sample_examination(site);
    CHECK(command_of(findings_of("reverse-path", site, seen), Grade::warning, "ov0") ==
          "sysctl -w net.ipv4.conf.ov0.rp_filter=2");
    seen.sysctls->insert_or_assign("net.ipv4.conf.ov0.rp_filter", "2");
    CHECK(findings_of("reverse-path", site, seen).front().grade == Grade::ok);
}

TEST_CASE("a bridge whose packets pass the tables") {
    const auto bridge = [](Examination& seen) {
        seen.devices->at(1).kind = "bridge";
        seen.sysctls->insert_or_assign("net.bridge.bridge-nf-call-iptables", "1");
    };
    CHECK(command_of(after("bridge-netfilter", bridge), Grade::error, "lan0") ==
          "sysctl -w net.bridge.bridge-nf-call-iptables=0");
    CHECK(after("bridge-netfilter", sysctl("net.bridge.bridge-nf-call-iptables", "1")).front().grade == Grade::ok);
}

TEST_CASE("interfaces") {
    const auto device = [](std::size_t index, auto change) {
        return [=](Examination& seen) { change(seen.devices->at(index)); };
    };
    CHECK(command_of(after("lan", device(1, [](Device& d) { d.switched_on = false; })), Grade::error, "lan0 is down") ==
          "ip link set lan0 up");
    command_of(after("lan", device(1, [](Device& d) { d.name = "other"; })), Grade::error, "does not exist");
    command_of(after("links", device(2, [](Device& d) { d.running = false; })), Grade::warning, "no carrier");
    const auto down = [](Examination& seen) {
        seen.devices->at(2).switched_on = false;
        seen.facts->interfaces.at(2).up = false;
    };
    CHECK(command_of(after("links", down), Grade::error, "ov0 is down") == "ip link set ov0 up");
    command_of(after("peers", down), Grade::error, "peer b");
    CHECK(command_of(after("mtu", device(2, [](Device& d) { d.mtu = 1200; }), with_ipv6()), Grade::error, "1200") ==
          "ip link set ov0 mtu 1280");
    command_of(after("mtu", device(2, [](Device& d) { d.mtu = 1420; })), Grade::note, "1420");
}

TEST_CASE("addresses") {
    command_of(after("lan-address", [](Examination& seen) { seen.facts->interfaces.at(1).addresses.clear(); }),
               Grade::warning, "IPv4");
    command_of(after("gateways", [](Examination& seen) { seen.facts->interfaces.at(2).addresses.clear(); }),
               Grade::error, "172.31.0.2");
    command_of(after("gateways", address("wan0", "172.31.0.2", 32)), Grade::error, "this machine itself");
    command_of(after("outside-address", address("wan0", "192.168.1.9", 24)), Grade::warning, "wan0");
    CHECK(command_of(after("own-virtual", address("lan0", "198.18.1.1", 32)), Grade::error, "198.18.1.1") ==
          "ip address del 198.18.1.1/32 dev lan0");
    CHECK(command_of(after("duplicate-site", address("lo", "198.18.2.1", 32)), Grade::error, "peer b") ==
          "ip address del 198.18.2.1/32 dev lo");
    Site windows = sample_site();
    windows.peers.front().virtual_prefixes = {*Prefix::parse("240.2.2.0/24")};
    command_of(findings_of("windows", windows, sample_examination(windows)), Grade::note, "240.0.0.0/4");
}

TEST_CASE("WireGuard") {
    const auto device = [](std::vector<WireGuardPeer> peers) {
        return [=](Examination& seen) { seen.wireguard = std::vector<WireGuardDevice>{{"ov0", peers}}; };
    };
    const auto prefixes = [](const std::string& text) { return std::vector{*Prefix::parse(text)}; };
    CHECK(command_of(after("wireguard", device({{"KEY=", prefixes("10.99.0.2/32")}})), Grade::error, "198.18.2.0/24") ==
          "wg set ov0 peer KEY= allowed-ips 10.99.0.2/32,198.18.2.0/24");
    // Which of the two is b cannot be told.
    CHECK(command_of(after("wireguard", device({{"K1", {}}, {"K2", {}}})), Grade::error, "198.18.2.0/24").empty());
    CHECK(after("wireguard", device({{"K1", {}}, {"K2", prefixes("198.18.0.0/15")}})).front().grade == Grade::ok);
    command_of(after("wireguard", [](Examination& seen) { seen.devices->at(2).kind = "wireguard"; }), Grade::note,
               "could not be checked");

    const auto parsed = parse_wireguard("wg0", "private_key=00\npublic_key=" + std::string(64, 'f') +
                                                   "\nallowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\nerrno=0\n\n");
    REQUIRE(parsed.peers.size() == 1);
    CHECK(parsed.peers.front().public_key == "//////////////////////////////////////////8=");
    CHECK(parsed.peers.front().allowed_ips == std::vector{*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/8")});
}

TEST_CASE("base64 and hexadecimal") {
    const auto text = [](const std::string& bytes) {
        return base64(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
    };
    // RFC 4648, section 10
    CHECK(text("").empty());
    CHECK(text("f") == "Zg==");
    CHECK(text("fo") == "Zm8=");
    CHECK(text("foo") == "Zm9v");
    CHECK(text("foobar") == "Zm9vYmFy");
    CHECK(from_hex("00fF") == std::vector<std::uint8_t>{0, 255});
    CHECK(!from_hex("0"));
    CHECK(!from_hex("0g"));
}

TEST_CASE("what the kernel holds") {
    const std::string apply = "natctl apply";
    CHECK(command_of(after("table", [](Examination& seen) { seen.plan->table.reset(); }), Grade::error, "not there") ==
          apply);
    CHECK(
        command_of(after("table", [](Examination& seen) { seen.plan->table->chains.edit().front().rules.pop_back(); }),
                   Grade::error, "chain ") == apply);
    const auto damaged = [](Examination& seen) { seen.white_now_failure = "cannot read /run/natctl/white_list:3"; };
    CHECK(command_of(after("table", damaged), Grade::error, "white_list:3") == "rm /run/natctl/white_list");
    CHECK(command_of(after("policy-rules", [](Examination& seen) { seen.plan->rules.pop_back(); }), Grade::error,
                     "missing") == apply);
    CHECK(command_of(after("routes",
                           [](Examination& seen) {
                               seen.plan->routes.push_back(
                                   {.table = 7003, .destination = *Prefix::parse("203.0.113.0/24")});
                           }),
                     Grade::error, "does not ask for") == apply);
    const Invocation elsewhere{.config = "/tmp/my site.toml", .run_dir = "/tmp/r"};
    CHECK(natctl_command(elsewhere, "apply") == "natctl apply '/tmp/my site.toml' --run-dir /tmp/r");
}

TEST_CASE("programs") {
    const Site site = sample_proxy_site();
    CHECK(command_of(after(
                         "tunnel", [](Examination& seen) { seen.tunnel->reset(); }, site),
                     Grade::error, "does not run") == "systemctl restart natctl-tunnel");
    CHECK(after("tunnel", [](Examination& seen) { seen.tunnel->reset(); }).front().grade == Grade::ok);
    command_of(after(
                   "tunnel", [](Examination& seen) { seen.listening->clear(); }, site),
               Grade::error, "nothing listens on 127.0.0.1:12345");
    command_of(
        after("tunnel-descriptors", [](Examination& seen) { (*seen.tunnel.operator->())->most_descriptors = 256; }),
        Grade::warning, "256");
    command_of(after("agent", [](Examination& seen) { seen.agent->reset(); }), Grade::note, "natctl-agent");
    command_of(after(
                   "proxy-exposure",
                   [](Examination& seen) {
                       seen.listening = std::vector<ListeningSocket>{{*Endpoint::parse("0.0.0.0:1080")}};
                   },
                   site),
               Grade::warning, "0.0.0.0:1080");
    Site open = sample_site();
    open.tunnel.listeners.push_back({.listen = *Endpoint::parse("0.0.0.0:1080")});
    command_of(findings_of("listeners", open, sample_examination(open)), Grade::warning, "0.0.0.0:1080");
    Site names = sample_site();
    names.white_list.endpoints = {"x.invalid"};
    command_of(after(
                   "names", [](Examination& seen) { seen.unresolved->emplace("x.invalid", "no"); }, names),
               Grade::warning, "x.invalid");
}

TEST_CASE("the tunnel's listeners") {
    const auto listening = [](const std::vector<const char*>& there) {
        return [there](Examination& seen) {
            seen.listening->clear();
            for (const char* endpoint : there) seen.listening->push_back({*Endpoint::parse(endpoint)});
        };
    };
    const Site redirecting = redirecting_site();
    command_of(after("tunnel", listening({"127.0.0.1:12345"}), redirecting), Grade::error,
               "nothing listens on 0.0.0.0:12346");
    // REDIRECT leads to any address of this machine.
    command_of(after("tunnel", listening({"127.0.0.1:12345", "127.0.0.1:12346"}), redirecting), Grade::error,
               "nothing listens on 0.0.0.0:12346");
    CHECK(after("tunnel", listening({"127.0.0.1:12345", "0.0.0.0:12346"}), redirecting).front().grade == Grade::ok);

    const Site embedding = embedding_site();
    const auto missing = after("tunnel", listening({"127.0.0.1:12345"}), embedding);
    command_of(missing, Grade::error, "nothing listens on [::1]:12347");
    CHECK(missing.front().why.ends_with("while this machine had no IPv6"));
    CHECK(after("tunnel", listening({"127.0.0.1:12345", "[::1]:12347"}), embedding).front().grade == Grade::ok);
}

TEST_CASE("proxies") {
    using Kind = ProxyAnswer::Kind;
    const auto answers = [](Kind kind, bool password) {
        SocksLink link{.server = *Endpoint::parse("127.0.0.1:1080")};
        if (password) link.credentials = Credentials{.user = "u", .password_file = "/etc/natctl/b.password", .at = {}};
        return after(
            "proxies",
            [&](Examination& seen) {
                seen.proxies = std::vector<ProxyAnswer>{{link, kind, "cause"}};
            },
            sample_proxy_site());
    };
    CHECK(answers(Kind::ready, false).front().grade == Grade::ok);
    command_of(answers(Kind::unreachable, false), Grade::error, "of peer b cannot be reached: cause");
    command_of(answers(Kind::silent, false), Grade::error, "says nothing");
    command_of(answers(Kind::no_socks5, false), Grade::error, "does not speak SOCKS5");
    command_of(answers(Kind::wants_password, false), Grade::error, "wants a user and a password");
    command_of(answers(Kind::wrong_password, true), Grade::error, "refuses user u");
    CHECK(command_of(answers(Kind::no_secret, true), Grade::error, "cause") == "chmod 600 /etc/natctl/b.password");
}

TEST_CASE("clock and files") {
    CHECK(command_of(after("clock", [](Examination& seen) { seen.clock->now = {}; }), Grade::warning, "wrong") ==
          "timedatectl set-ntp true");
    command_of(after("clock", [](Examination& seen) { seen.clock->synchronised = false; }), Grade::note,
               "not synchronised");
    const auto path = [](std::size_t index, auto change) {
        return [=](Examination& seen) { change(seen.paths->at(index)); };
    };
    CHECK(command_of(after("configuration-file", path(0, [](Path& p) { p.mode = 0666; })), Grade::warning,
                     "site.toml") == "chmod go-w /etc/natctl/site.toml");
    CHECK(command_of(after("directories", path(2, [](Path& p) { p.mode = 0777; })), Grade::warning, "/var/lib") ==
          "chmod go-w /var/lib/natctl");
    CHECK(command_of(after("directories", path(1, [](Path& p) { p.directory = false; })), Grade::error,
                     "no directory") == "mv /run/natctl /run/natctl.old && mkdir -p /run/natctl");
    command_of(after("directories", path(1, [](Path& p) { p.writable = false; })), Grade::error, "nothing can be");
    command_of(after("directories", path(1, [](Path& p) { p.free = 10; })), Grade::error, "full");
}
