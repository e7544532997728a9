// SPDX-License-Identifier: GPL-3.0-or-later
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "agent/exposition.h"
#include "agent/metrics.h"
#include "agent/status_json.h"
#include "nftctl/site/parse.h"

using namespace natctl;

namespace {

constexpr const char* site_text = R"(
site = "a"
lan = "lan0"
[[map]]
virtual = "198.18.1.0/24"
real = "192.168.1.0/24"
[[map]]
virtual = "198.18.1.7"
real = "10.10.10.7"
name = "</script><b>\"x\""
[[peer]]
name = "b"
virtual = "198.18.2.0/24"
link = [{ dev = "wg0" }, { socks5 = "127.0.0.1:1080" }, { socks5 = "127.0.0.1:1081" }]
[white_list]
prefixes = ["203.0.113.0/24"]
)";

constexpr const char* report_text = R"({"version":1,
 "tcp":[{"way":"direct","open":2,"ended":3,"bytes_to_far":1000,"bytes_to_client":2000,
         "bytes_to_far_per_second":5,"bytes_to_client_per_second":6}],
 "udp":[], "proxies":[{"socks5":"127.0.0.1:1080","up":false,"seconds":7,"cause":"refused"}],
 "failures":[{"way":"direct","cause":"say \"no\"","count":4}],
 "drops":[{"cause":"no room","count":9}], "limits":{"flows":100}})";

View sample() {
    View view;
    view.site = std::make_shared<const Site>(parse_site(site_text).site.value());
    view.facts.interfaces = {{.name = "lan0", .index = 1, .up = true}, {.name = "wg0", .index = 2, .up = true}};
    view.state.site = "a";
    view.state.repairs = 3;
    view.state.names = {{.name = "proxy.test", .addresses = {Address::v4(1)}, .failure = "SERVFAIL"}};
    view.traffic = {{"wg0", {.received = 11, .sent = 22}}};
    view.tunnel = read_tunnel_report(report_text);
    return view;
}

LiveFlow live_flow() {
    LiveFlow flow{.real = *Address::parse("10.10.10.7"),
                  .virtual_address = Address::parse("198.18.1.7"),
                  .name = "</script><b>\"x\"",
                  .far = *Address::parse("198.18.2.9"),
                  .peer = "b"};
    flow.connection = {.original = {flow.real, flow.far, 40000, 80}, .reply = {}, .protocol = 6, .id = 4000000000};
    flow.connection.sent = flow.connection.received = Traffic{1, 50};
    return flow;
}

/// `count` flows by links of peer b, of which one is shown, and two inside.
std::shared_ptr<FlowReading> flows_of(const View& view, std::uint64_t count) {
    return std::make_shared<FlowReading>(FlowReading{
        .site = view.site,
        .flows = {.count = count + 2,
                  .counts = {{{"b", FlowPath::link}, count}, {{"", FlowPath::inside}, 2}},
                  .foremost = {live_flow()}},
        .at = std::chrono::steady_clock::time_point(std::chrono::milliseconds(1500)),
        .wall_time = std::chrono::system_clock::time_point(std::chrono::seconds(1000)),
    });
}

void take_down(View& view, const std::string& name) {
    for (auto& interface : view.facts.interfaces)
        if (interface.name == name) interface.up = false;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// The text of the link that is used; empty: none is.
std::string used(const View& view) {
    std::string text;
    for (const auto& link : links_of(view.site->peers[0], view)) {
        if (!link.used) continue;
        CHECK(text.empty());
        CHECK(link.usable);
        text = link.text;
    }
    return text;
}

} // namespace

TEST_CASE("the text format") {
    Exposition out;
    out.family("a_total", "counter", "What it is.");
    out.sample({}, std::uint64_t{18446744073709551615U});
    out.sample({{"x", "a\\b\"c\nd"}, {"y", ""}}, 0.25);
    CHECK(out.text() == "# HELP a_total What it is.\n# TYPE a_total counter\na_total 18446744073709551615\n"
                        "a_total{x=\"a\\\\b\\\"c\\nd\",y=\"\"} 0.25\n");
}

TEST_CASE("durations of looks are counted by class") {
    View view;
    const std::chrono::system_clock::time_point at{std::chrono::seconds(1000)};
    view.looks.add(0.001, false, at);
    view.looks.add(0.3, true, at);
    view.looks.add(60, false, at);
    const auto text = metrics(view);
    for (const char* line :
         {"natctl_look_duration_seconds_bucket{le=\"0.001\"} 1", "natctl_look_duration_seconds_bucket{le=\"0.25\"} 1",
          "natctl_look_duration_seconds_bucket{le=\"0.5\"} 2", "natctl_look_duration_seconds_bucket{le=\"10\"} 2",
          "natctl_look_duration_seconds_bucket{le=\"+Inf\"} 3", "natctl_look_duration_seconds_count 3",
          "natctl_look_duration_seconds_sum 60.301", "natctl_last_look_duration_seconds 60",
          "natctl_last_look_timestamp_seconds 1000", "natctl_failures_total 1", "natctl_site_applied 0"})
        CHECK_MESSAGE(has_line(text, line), line);
}

TEST_CASE("metrics of a site") {
    const auto text = metrics(sample());
    for (const char* line : {"natctl_site_info{site=\"a\"} 1",
                             "natctl_site_applied 1",
                             "natctl_repairs_total 3",
                             "natctl_peers 1",
                             "natctl_peer_up{peer=\"b\"} 1",
                             "natctl_link_used{peer=\"b\",link=\"dev wg0\",kind=\"dev\"} 1",
                             "natctl_link_usable{peer=\"b\",link=\"socks5 127.0.0.1:1080\",kind=\"socks5\"} 0",
                             "natctl_link_usable{peer=\"b\",link=\"socks5 127.0.0.1:1081\",kind=\"socks5\"} 1",
                             "natctl_interface_up{interface=\"wg0\"} 1",
                             "natctl_interface_receive_bytes_total{interface=\"wg0\"} 11",
                             "natctl_interface_transmit_bytes_total{interface=\"wg0\"} 22",
                             "natctl_maps{kind=\"host\"} 1",
                             "natctl_maps{kind=\"prefix\"} 1",
                             "natctl_white_list_entries{kind=\"prefix\"} 1",
                             "natctl_name_addresses{name=\"proxy.test\"} 1",
                             "natctl_name_resolves{name=\"proxy.test\"} 0",
                             "natctl_tunnel_up 1",
                             "natctl_tunnel_flows{protocol=\"tcp\",way=\"direct\"} 2",
                             "natctl_tunnel_bytes_total{protocol=\"tcp\",way=\"direct\",direction=\"to_client\"} 2000",
                             "natctl_tunnel_failures_total{way=\"direct\",cause=\"say \\\"no\\\"\"} 4",
                             "natctl_tunnel_dropped_datagrams_total{cause=\"no room\"} 9",
                             "natctl_tunnel_limit{of=\"flows\"} 100",
                             "natctl_tunnel_proxy_up{proxy=\"127.0.0.1:1080\"} 0"})
        CHECK_MESSAGE(has_line(text, line), line);
}

TEST_CASE("flows are counted where they could be read") {
    auto view = sample();
    CHECK(metrics(view).find("\nnatctl_flows{") == std::string::npos);
    const auto flows = flows_of(view, 7);
    view.flows = flows;
    for (const char* line : {"natctl_flows{peer=\"b\",path=\"link\"} 7", "natctl_flows{peer=\"b\",path=\"tunnel\"} 0",
                             "natctl_flows{peer=\"\",path=\"inside\"} 2", "natctl_flows{peer=\"\",path=\"tunnel\"} 0"})
        CHECK_MESSAGE(has_line(metrics(view), line), line);
    flows->failure = "no connections";
    CHECK(metrics(view).find("\nnatctl_flows{") == std::string::npos);
    view.site.reset();
    CHECK(metrics(view).find("natctl_flows") == std::string::npos);
}

TEST_CASE("elements are counted by set") {
    auto view = sample();
    view.set_sizes = {{"peer4", 3}, {"white4", 0}};
    CHECK(has_line(metrics(view), "natctl_set_elements{set=\"peer4\"} 3"));
    CHECK(has_line(metrics(view), "natctl_set_elements{set=\"white4\"} 0"));
}

TEST_CASE("which link is used") {
    auto view = sample();
    CHECK(used(view) == "dev wg0");
    take_down(view, "wg0");
    CHECK(used(view) == "socks5 127.0.0.1:1081");
    view.tunnel->proxies[0].up = true;
    CHECK(used(view) == "socks5 127.0.0.1:1080");
    view.tunnel.reset();
    CHECK(used(view).empty());
    CHECK(has_line(metrics(view), "natctl_peer_up{peer=\"b\"} 0"));
    CHECK(has_line(metrics(view), "natctl_tunnel_up 0"));
}

TEST_CASE("why a link is down, and since when") {
    auto view = sample();
    view.facts.out_of_use = {{"b", 0}};
    view.state.links = {{.link = {"b", 0},
                         .text = "dev wg0",
                         .standing = LinkHealth::Standing::down,
                         .since = std::chrono::seconds(7),
                         .cause = "no answer from 172.31.0.2"}};
    const auto links = links_of(view.site->peers[0], view);
    REQUIRE(links.size() == 3);
    CHECK(!links[0].usable);
    CHECK(links[0].since == std::chrono::seconds(7));
    CHECK(links[0].cause == "no answer from 172.31.0.2");
    CHECK(links[1].cause == "refused");
    CHECK(links[2].used);
    view.state.links[0].standing = LinkHealth::Standing::held;
    CHECK(has_line(metrics(view), "natctl_link_held{peer=\"b\",link=\"dev wg0\",kind=\"dev\"} 1"));
    view.tunnel.reset();
    CHECK(links_of(view.site->peers[0], view)[2].cause == "natctl-tunnel does not run");
}

TEST_CASE("programs that the agent runs") {
    auto view = sample();
    view.state.programs = {{.name = "xray", .process = 17}, {.name = "natctl-tunnel", .process = {}, .restarts = 4}};
    const auto text = metrics(view);
    CHECK(has_line(text, "natctl_program_up{program=\"xray\"} 1"));
    CHECK(has_line(text, "natctl_program_up{program=\"natctl-tunnel\"} 0"));
    CHECK(has_line(text, "natctl_program_restarts_total{program=\"natctl-tunnel\"} 4"));
}

TEST_CASE("what the page is told") {
    auto view = sample();
    view.state.events = {{{}, Weight::warning, "<img src=x onerror=alert(1)> \xff\"'"}};
    const auto json = nlohmann::json::parse(status_json(view));
    CHECK(json["site"]["name"] == "a");
    CHECK(json["site"]["maps"][1]["name"] == "</script><b>\"x\"");
    CHECK(json["site"]["peers"][0]["links"][0]["used"] == true);
    CHECK(json["site"]["interfaces"][1]["received"] == 11);
    CHECK(json["site"]["uses_tunnel"] == true);
    CHECK(json["agent"]["events"][0]["text"] == "<img src=x onerror=alert(1)> \xef\xbf\xbd\"'");
    CHECK(json["tunnel"]["ways"][0]["to_client_per_second"] == 6);
    CHECK(json["trial"].is_null());
    view.site.reset();
    view.tunnel.reset();
    const auto bare = nlohmann::json::parse(status_json(view));
    CHECK(bare["site"].is_null());
    CHECK(bare["tunnel"].is_null());
}

TEST_CASE("what the page is told of flows") {
    auto view = sample();
    CHECK(nlohmann::json::parse(status_json(view))["flows"].is_null());
    const auto flows = flows_of(view, 99);
    flows->flows.foremost[0].connection.began = 990'000'000'000;
    view.flows = flows;
    const auto json = nlohmann::json::parse(status_json(view))["flows"];
    CHECK(json["at"] == 1.5);
    CHECK(json["count"] == 101);
    CHECK(json["failure"] == "");
    REQUIRE(json["listed"].size() == 1);
    const auto& shown = json["listed"][0];
    CHECK(shown["id"] == 4000000000);
    CHECK(shown["name"] == "</script><b>\"x\"");
    CHECK(shown["virtual"] == "198.18.1.7");
    CHECK(shown["sent"]["bytes"] == 50);
    CHECK(shown["age_seconds"] == 10);
}

TEST_CASE("reports of other releases and of no tunnel at all") {
    CHECK(!read_tunnel_report(""));
    CHECK(!read_tunnel_report("[]"));
    CHECK(!read_tunnel_report(R"({"version":2})"));
    CHECK(!read_tunnel_report(R"({"version":"1"})"));
    const auto odd = read_tunnel_report(R"({"version":1,"tcp":[1,{"way":2,"open":-1}],"proxies":{},"limits":[]})");
    REQUIRE(odd);
    REQUIRE(odd->ways.size() == 1);
    CHECK(odd->ways[0].way.empty());
    CHECK(odd->ways[0].open == 0);
}

TEST_CASE("bytes of interfaces as /proc/net/dev has them") {
    const auto traffic = parse_interface_traffic(
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
        "    lo: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n"
        "wg0:18446744073709551615 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n"
        "odd: 1 2\n");
    CHECK(traffic == TrafficByInterface{{"lo", {100, 200}}, {"wg0", {18446744073709551615U, 7}}});
}
