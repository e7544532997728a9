// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

const std::string by_xray = "proxy = { socks5 = '127.0.0.1:1080' }\n";
const std::string wg = "{ dev = 'wg0' }";

std::string intercept(const std::string& text) { return "[intercept]\n" + text + "\n"; }

} // namespace

TEST_CASE("an interception with everything") {
    const auto result = parse_site(good_site + intercept(R"(from = ["lan0"]
to = ["0.0.0.0/0", "2000::/3"]
protocols = ["tcp", "udp"]
by = "tproxy"
local = true
proxy = { socks5 = "127.0.0.1:1080", user = "a", password_file = "p" }
except_marks = [255, "0x10000/0xff0000", "7"]
except_users = ["xray", "1000", 1001]
except_cgroups = ["system.slice/xray.service"])"));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    REQUIRE(result.site->intercept);
    const auto& found = *result.site->intercept;
    CHECK(found.from == std::vector<std::string>{"lan0"});
    REQUIRE(found.to.size() == 2);
    CHECK(found.to[1].text() == "2000::/3");
    CHECK(found.tcp);
    CHECK(found.udp);
    CHECK(found.by == InterceptBy::tproxy);
    CHECK(found.local);
    CHECK(found.proxy.server.text() == "127.0.0.1:1080");
    CHECK(found.proxy.credentials->user == "a");
    CHECK(found.except_marks == std::vector{Mark{255, 0xffffffff}, Mark{0x10000, 0xff0000}, Mark{7, 0xffffffff}});
    CHECK(found.except_users == std::vector<std::string>{"xray", "1000", "1001"});
    CHECK(found.except_cgroups == std::vector<std::string>{"system.slice/xray.service"});
    CHECK(found.at == Position{6, 1});
    CHECK(found.from_at.at(0) == Position{7, 9});
    CHECK(found.to_at.at(1) == Position{8, 20});
    CHECK(found.mark_at.at(1) == Position{13, 22});
    CHECK(found.user_at.at(2) == Position{14, 33});
    CHECK(found.cgroup_at.at(0) == Position{15, 19});
}

TEST_CASE("the smallest interception takes TCP and UDP, redirect TCP alone") {
    auto result = parse_site(good_site + intercept(by_xray));
    REQUIRE(result.site);
    CHECK(result.site->intercept->from.empty());
    CHECK(result.site->intercept->to.empty());
    CHECK(result.site->intercept->tcp);
    CHECK(result.site->intercept->udp);
    CHECK(!result.site->intercept->local);
    result = parse_site(good_site + intercept("by = 'redirect'\n" + by_xray));
    REQUIRE(result.site);
    CHECK(result.site->intercept->by == InterceptBy::redirect);
    CHECK(result.site->intercept->tcp);
    CHECK(!result.site->intercept->udp);
    CHECK(!parse_site(good_site).site->intercept);
}

TEST_CASE("mistakes in an interception") {
    const Mistake mistakes[] = {
        {"@[intercept]\n", "[intercept] has no \"proxy\"", "add proxy = "},
        {"@[[intercept]]\n" + by_xray, "\"intercept\" is a list, not a table", "[intercept]"},
        {intercept(by_xray + "@form = 'lan0'"), "unknown key \"form\" in [intercept]", "\"from\""},
        {intercept(by_xray + "from = @true"), "\"from\" is a boolean, not the name of a LAN", "lan0"},
        {intercept(by_xray + "from = @[]"), "\"from\" is an empty list", "lan0"},
        {intercept(by_xray + "from = @'wg0'"), "wg0 is no LAN of this site",
         "under lan as well, or write one of: lan0"},
        {intercept(by_xray + "from = ['lan0', @'lan0']"), "LAN lan0 is named twice", "once"},
        {intercept(by_xray + "from = @'lan 0'"), "cannot be the name of an interface", "ip link"},
        {intercept(by_xray + "to = @[]"), "\"to\" is an empty list", "0.0.0.0/0"},
        {intercept(by_xray + "to = [@'8.8.8.8/33']"), "no address or prefix", "0 to 32"},
        {intercept(by_xray + "to = ['8.8.8.0/24', @'8.8.8.0/24']"), "8.8.8.0/24 is listed twice (line 8)", "once"},
        {intercept(by_xray + "to = @'198.18.1.0/25'"), "198.18.1.0/25 to be intercepted lies in our own virtual",
         "never intercepted"},
        {intercept(by_xray + "to = @'192.168.1.7'"), "192.168.1.7 to be intercepted lies in our own real",
         "never intercepted"},
        {peer_of("'b'", "'198.18.2.0/24'", wg) + intercept(by_xray + "to = @'198.18.2.0/24'"),
         "lies in 198.18.2.0/24 of peer b (line 8)", "never intercepted"},
        {intercept(by_xray + "to = @'8.8.8.8'") + "[white_list]\nprefixes = '8.8.0.0/16'\n",
         "8.8.8.8 is never intercepted: the white list holds 8.8.0.0/16", "one of the two"},
        {intercept(by_xray + "to = @'224.0.1.0/24'"), "multicast addresses (224.0.0.0/4) cannot be intercepted", ""},
        {intercept(by_xray + "protocols = @[]"), "\"protocols\" is an empty list", "tcp"},
        {intercept(by_xray + "protocols = ['tcp', @'icmp']"), "\"icmp\" cannot be intercepted", "udp"},
        {intercept(by_xray + "protocols = ['tcp', @'tcp']"), "protocol tcp is named twice", "once"},
        {intercept(by_xray + "by = 'redirect'\nprotocols = ['tcp', @'udp']"), "redirect carries no UDP", "tproxy"},
        {intercept(by_xray + "by = @'nat'"), "\"nat\" is no way to intercept", "\"redirect\" for kernels without"},
        {intercept(by_xray + "local = @1"), "\"local\" is an integer, not a boolean", "local = true"},
        {intercept("proxy = @'127.0.0.1:1080'"), "\"proxy\" is text, not a proxy", "{ socks5 ="},
        {intercept("proxy = @{}"), "a proxy has no \"socks5\"", "socks5"},
        {intercept("proxy = { socks5 = @'127.0.0.1' }"), "no address with a port", "ADDRESS:PORT"},
        {intercept("proxy = { socks5 = '127.0.0.1:1080', @via = '127.0.0.1' }"), "unknown key \"via\" in a proxy", ""},
        {intercept("proxy = { socks5 = '127.0.0.1:1080', user = @'a' }"), "\"user\" without \"password_file\"", ""},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
}

TEST_CASE("who is never intercepted") {
    const Mistake mistakes[] = {
        {intercept(by_xray + "except_marks = @0"), "0 is no mark", "1 to 0xffffffff"},
        {intercept(by_xray + "except_marks = [@-1]"), "-1 is no mark", "1 to 0xffffffff"},
        {intercept(by_xray + "except_marks = [@4294967296]"), "4294967296 is no mark", "0xffffffff"},
        {intercept(by_xray + "except_marks = @1.5"), "\"except_marks\" is a fraction, not a mark", "0x100/0xff00"},
        {intercept(by_xray + "except_marks = @'0x100/0xff'"), "bits outside of its mask", "VALUE/MASK"},
        {intercept(by_xray + "except_marks = @'0/0xff'"), "packets without a mark", "VALUE/MASK"},
        {intercept(by_xray + "except_marks = @'0x'"), "\"0x\" is no mark", "VALUE/MASK"},
        {intercept(by_xray + "except_marks = @'1/2/3'"), "is no mark", "VALUE/MASK"},
        {intercept(by_xray + "except_marks = @'0x100000000'"), "is no mark", "VALUE/MASK"},
        {intercept(by_xray + "except_marks = [255, @'0x100/0xff00']"), "mark 0x100 has bits of natctl's own mask",
         "[marks]"},
        {intercept(by_xray + "except_users = @true"), "\"except_users\" is a boolean, not a user", "xray"},
        {intercept(by_xray + "except_users = @''"), "\"\" cannot be a user", "/etc/passwd"},
        {intercept(by_xray + "except_users = @-5"), "\"-5\" cannot be a user", "/etc/passwd"},
        {intercept(by_xray + "except_users = @4294967295"), "cannot be a user", "/etc/passwd"},
        {intercept(by_xray + "except_users = @'a:b'"), "\"a:b\" cannot be a user", "/etc/passwd"},
        {intercept(by_xray + "except_cgroups = @'/sys/fs/cgroup/system.slice'"), "cannot be a control group",
         "leave /sys/fs/cgroup/ out"},
        {intercept(by_xray + "except_cgroups = @'a/../b'"), "cannot be a control group", "system.slice/xray.service"},
        {intercept(by_xray + "except_cgroups = @'a//b'"), "cannot be a control group", "xray"},
        {intercept(by_xray + "except_cgroups = @''"), "cannot be a control group", "xray"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
}

TEST_CASE("nothing goes in circles") {
    const std::string far = "proxy = { socks5 = @'203.0.113.5:1080' }\n";
    const Mistake mistakes[] = {
        {intercept(far), "what goes to the proxy 203.0.113.5 is intercepted itself", "endpoints = [\"203.0.113.5\"]"},
        {intercept("to = '203.0.112.0/23'\n" + far), "is intercepted itself: a loop", "white list"},
        {intercept("proxy = { socks5 = @'198.18.1.9:1080' }\nto = '8.8.8.8'"), "server 198.18.1.9 lies in", "without"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    const std::string near = "proxy = { socks5 = '203.0.113.5:1080' }\n";
    CHECK(parse_site(good_site + intercept("to = '8.8.8.8'\n" + near)).site);
    CHECK(parse_site("white_list = '203.0.113.0/24'\n" + good_site + intercept(near)).site);
    CHECK(parse_site(good_site + intercept(near) + "[white_list]\nendpoints = '203.0.113.5'\n").site);

    const std::string local_by_xray = "local = true\nproxy = { socks5 = @'127.0.0.1:1080' }\n";
    check_mistake(good_site, {intercept(local_by_xray), "is intercepted again", "except_users"}, Severity::warning);
    for (const char* guard : {"except_users = 'xray'", "except_marks = 255", "except_cgroups = 'xray.slice'"})
        CHECK(parse_site(good_site + intercept("local = true\n" + by_xray + guard)).diagnostics.empty());
    check_mistake("white_list = '192.168.1.9'\n" + good_site,
                  {intercept("proxy = { socks5 = @'192.168.1.9:1080' }"), "the proxy 192.168.1.9 is in a LAN", "from"},
                  Severity::warning);
}
