// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/doctor_sample.h"

#include <doctest/doctest.h>

#include "nftctl/plan/compile.h"

namespace natctl::test {

using namespace doctor;

namespace {

Map map(const std::string& virt, const std::string& real) {
    return {*Prefix::parse(virt), *Prefix::parse(real), {}, {}};
}

Site site_with(Link link) {
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {map("198.18.1.0/24", "192.168.1.0/24")};
    site.peers = {{.name = "b", .virtual_prefixes = {*Prefix::parse("198.18.2.0/24")}, .links = {std::move(link)}}};
    return site;
}

Facts facts() {
    Facts facts;
    facts.forwarding4 = true;
    facts.forwarding6 = true;
    facts.interfaces = {{"lo", 1, true, {{*Address::parse("127.0.0.1"), 8}}},
                        {"lan0", 2, true, {{*Address::parse("192.168.1.1"), 24}}},
                        {"ov0", 3, true, {{*Address::parse("172.31.0.1"), 24}}},
                        {"wan0", 4, true, {{*Address::parse("198.51.100.1"), 24}}}};
    return facts;
}

std::map<std::string, std::string> sysctls() {
    return {{"fs.file-nr", "1000 0 100000"},
            {"net.ipv4.conf.all.rp_filter", "1"},
            {"net.ipv4.conf.lan0.forwarding", "1"},
            {"net.ipv4.conf.ov0.forwarding", "1"},
            {"net.ipv4.conf.ov0.rp_filter", "1"},
            {"net.ipv4.ip_forward", "1"},
            {"net.ipv4.ip_local_port_range", "32768 60999"},
            {"net.ipv4.ip_local_reserved_ports", ""},
            {"net.ipv6.conf.all.disable_ipv6", "0"},
            {"net.ipv6.conf.all.forwarding", "1"},
            {"net.netfilter.nf_conntrack_acct", "1"},
            {"net.netfilter.nf_conntrack_count", "100"},
            {"net.netfilter.nf_conntrack_max", "1000"},
            {"net.netfilter.nf_conntrack_tcp_timeout_established", "432000"}};
}

} // namespace

Site sample_site() { return site_with(DevLink{.dev = "ov0", .via4 = Address::parse("172.31.0.2")}); }

Site sample_proxy_site() { return site_with(SocksLink{.server = *Endpoint::parse("127.0.0.1:1080")}); }

Examination sample_examination(const Site& site) {
    Examination seen;
    seen.configuration = std::vector<Diagnostic>();
    seen.facts = facts();
    seen.devices = std::vector<Device>{{"lo", "", 65536, true, true},
                                       {"lan0", "", 1500, true, true},
                                       {"ov0", "", 1500, true, true},
                                       {"wan0", "", 1500, true, true}};
    seen.sysctls = sysctls();
    seen.features = std::vector<Feature>{{.name = "NAT of prefixes (NETMAP)", .module = "nft_nat", .since = "5.8"}};
    seen.plan = compile(site, facts());
    seen.tables = std::vector<firewall::Table>();
    seen.legacy_tables = std::vector<std::string>();
    seen.rules = std::vector<ForeignRule>();
    seen.routes = std::vector<ForeignRoute>();
    seen.listening =
        std::vector<ListeningSocket>{{*Endpoint::parse("127.0.0.1:12345")}, {*Endpoint::parse("127.0.0.1:1080")}};
    seen.proxies = std::vector<ProxyAnswer>();
    seen.tunnel = std::optional(Process{.pid = 100, .descriptors = 50, .most_descriptors = 262144});
    seen.agent = std::optional(Process{.pid = 101});
    seen.wireguard = std::vector<WireGuardDevice>();
    seen.unresolved = std::map<std::string, std::string>();
    // 2026-11-21
    seen.clock =
        Clock{.now = std::chrono::system_clock::time_point(std::chrono::seconds(1795219200)), .synchronised = true};
    seen.paths = std::vector<Path>{{"/etc/natctl/site.toml", true, false, true, 0644, 1ULL << 30},
                                   {"/run/natctl", true, true, true, 0755, 1ULL << 30},
                                   {"/var/lib/natctl", true, true, true, 0700, 1ULL << 30}};
    return seen;
}

Findings findings_of(const std::string& check, const Site& site, const Examination& seen) {
    Findings found;
    for (Finding& finding : diagnose(&site, seen))
        if (finding.check == check) found.push_back(std::move(finding));
    REQUIRE_MESSAGE(!found.empty(), check);
    return found;
}

std::string command_of(const Findings& findings, Grade grade, const std::string& words) {
    REQUIRE(findings.size() == 1);
    const Finding& finding = findings.front();
    CHECK_MESSAGE(finding.grade == grade, finding.what);
    CHECK_MESSAGE(finding.what.find(words) != std::string::npos, finding.what);
    CHECK_MESSAGE((!finding.command.empty() || !finding.advice.empty() || grade == Grade::note), finding.what);
    return finding.command;
}

} // namespace natctl::test
