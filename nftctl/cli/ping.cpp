// SPDX-License-Identifier: GPL-3.0-or-later
//
// Layer by layer, from what is cheapest to know to what takes a round trip, and each only after those that it needs:
// the first that fails is the cause.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/base/error.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/names.h"
#include "nftctl/cli/probe.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/route_lookup.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"
#include "nftctl/plan/trace.h"
#include "nftctl/plan/whose.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// Where a proxy that carries no echo is asked to go when no port was told.
constexpr std::uint16_t usual_port = 80;
/// A proxy that says yes before it knows (v2ray, Xray) hangs up within this time when the far side refuses.
constexpr Milliseconds second_thoughts{300};

struct Question {
    std::string target;
    std::optional<std::uint16_t> tcp;
    double seconds = 3;
};

struct Layer {
    std::string name;
    bool passed = false;
    std::string text;
    /// The command that mends it, or what to do; only where it did not pass.
    std::string remedy = {};
};

class Ping {
public:
    Ping(const Site& site, const Question& question, Kernel& kernel)
        : site_(site),
          kernel_(kernel),
          tcp_(question.tcp),
          target_(destination_of(&site, question.target)),
          whose_(whose(site, target_)),
          facts_(kernel.read_facts(site)),
          deadline_(Clock::now() +
                    std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(question.seconds))) {}

    /// The layers up to the first that fails.
    std::vector<Layer> run() {
        if (map() && link() && tunnel() && plan() && route()) far_end();
        return std::move(layers_);
    }

private:
    bool pass(std::string name, std::string text) {
        layers_.push_back({std::move(name), true, std::move(text)});
        return true;
    }
    bool fail(std::string name, std::string text, std::string remedy) {
        layers_.push_back({std::move(name), false, std::move(text), std::move(remedy)});
        return false;
    }

    bool map();
    bool link();
    bool device(const DevLink& dev);
    bool proxy(const SocksLink& socks);
    bool tunnel();
    bool plan();
    bool route();
    bool far_end();
    bool echo();
    bool tcp(std::uint16_t port);
    bool through_proxy(std::uint16_t port);

    const SocksLink* socks() const { return link_ ? std::get_if<SocksLink>(link_) : nullptr; }
    std::string shown() const { return address_text(site_, target_); }

    const Site& site_;
    Kernel& kernel_;
    std::optional<std::uint16_t> tcp_;
    Address target_;
    Whose whose_;
    Facts facts_;
    /// What the kernel holds; since plan().
    Plan actual_;
    Deadline deadline_;
    const Link* link_ = nullptr;
    /// To the peer's proxy, greeted.
    std::optional<SocksKnock> proxy_;
    std::vector<Layer> layers_;
};

bool Ping::map() {
    switch (whose_.kind) {
    case Whose::Kind::peers:
        return pass("map",
                    fmt::format("{} belongs to peer {} ({})", shown(), whose_.peer->name, whose_.prefix->text()));
    case Whose::Kind::own_virtual:
        if (!whose_.real)
            return fail("map",
                        fmt::format("{} is in a virtual prefix of this site, but no map gives it to a host", shown()),
                        "add a [[map]] for it to site.toml, then: natctl apply");
        return pass("map", fmt::format("{} is {} of this site", shown(), whose_.real->text()));
    case Whose::Kind::own_real: return pass("map", fmt::format("{} is a host of this site", shown()));
    case Whose::Kind::nobodys: break;
    }
    return fail(
        "map", fmt::format("{} is in no map of this site and belongs to no peer", shown()),
        "add it to a [[map]] or a [[peer]] of site.toml, then: natctl apply; natctl status lists those there are");
}

bool Ping::link() {
    if (!whose_.peer) return true;
    const auto& links = whose_.peer->links;
    link_ = usable_link(*whose_.peer, facts_);
    if (!link_) {
        // All are interfaces then; the preferred one is the one to mend.
        const auto first =
            std::ranges::find_if(links, [](const Link& l) { return std::holds_alternative<DevLink>(l); });
        if (first == links.end()) return fail("link", "the peer has no link", "add one to site.toml");
        const auto& dev = std::get<DevLink>(*first).dev;
        if (!facts_.find(dev))
            return fail("link", fmt::format("interface {} does not exist", dev),
                        "create it, or mend its name in site.toml: ip link");
        return fail("link", fmt::format("interface {} is down", dev), fmt::format("ip link set {} up", dev));
    }
    if (const auto* proxy_link = socks()) return proxy(*proxy_link);
    return device(std::get<DevLink>(*link_));
}

bool Ping::device(const DevLink& dev) { return pass("link", fmt::format("interface {} is up", dev.dev)); }

bool Ping::proxy(const SocksLink& socks) {
    const auto at = socks.server.text();
    auto knock = knock_tcp(socks.server, deadline_);
    if (knock.error != 0)
        return fail("link", fmt::format("proxy {} does not answer: {}", at, std::strerror(knock.error)),
                    socks.server.address.is_loopback()
                        ? "start the proxy on this machine (systemctl start xray), or mend its port in site.toml"
                        : fmt::format("start the proxy there, and let its firewall admit this machine: nc -vz {} {}",
                                      socks.server.address.text(), socks.server.port));
    proxy_.emplace(std::move(knock.socket));
    const auto trouble = proxy_->greet(socks.credentials, deadline_);
    if (!trouble.empty())
        return fail(
            "link", fmt::format("proxy {} {}", at, trouble),
            "user, password_file and address of the link in site.toml must be those of the proxy: natctl check");
    return pass("link", fmt::format("proxy {} answers in {:.1f} ms", at, knock.took.count()));
}

bool Ping::tunnel() {
    // An own IPv6 prefix that carries IPv4 addresses.
    const bool carried = whose_.kind == Whose::Kind::own_virtual && whose_.real->family() != target_.family();
    if (!socks() && !carried) return true;
    const Endpoint at{*Address::parse(target_.family() == Family::ipv4 ? "127.0.0.1" : "::1"),
                      carried ? site_.tunnel.embedded_port : site_.tunnel.port};
    if (!listens(at, Protocol::tcp))
        return fail("tunnel", fmt::format("natctl-tunnel does not listen at {}", at.text()),
                    "systemctl start natctl-tunnel");
    return pass("tunnel", fmt::format("natctl-tunnel listens at {}", at.text()));
}

bool Ping::plan() {
    actual_ = kernel_.read().plan;
    if (actual_ == Plan{}) return fail("plan", "the kernel holds nothing of natctl's", "natctl apply");
    if (!diff(actual_, compile(site_, facts_)).empty())
        return fail("plan", "the kernel does not hold what site.toml says; natctl plan shows the difference",
                    "natctl apply");
    return pass("plan", "the kernel holds what site.toml says");
}

bool Ping::route() {
    const Flow flow{.destination = target_,
                    .protocol = socks() || tcp_ ? Protocol::tcp : Protocol::icmp,
                    .port = tcp_.value_or(socks() ? usual_port : std::uint16_t{0})};
    const Surroundings surroundings{.facts = facts_, .other_route = look_up_route, .listens = listens, .site = &site_};
    if (auto elsewhere = overruled(actual_, facts_, target_))
        return fail("route", std::move(*elsewhere),
                    "give that rule a preference above 6005, or let it leave out the virtual prefixes: ip rule");
    const auto found = trace(actual_, surroundings, flow);
    if (!found.passes())
        return fail("route", fmt::format("{}: {}", name_of(found.fate), found.reason),
                    fmt::format("natctl trace router {} {} --rules", target_.text(),
                                flow.protocol == Protocol::tcp ? "tcp" : "icmp"));
    if (found.fate == Fate::tunnel) return pass("route", "leads to the tunnel");
    if (found.fate == Fate::delivered) return pass("route", "leads to this router itself");
    return pass("route",
                fmt::format("leads to {}, as {} to {}", found.out, found.source.text(), found.destination.text()));
}

bool Ping::far_end() {
    if (socks()) return through_proxy(tcp_.value_or(usual_port));
    return tcp_ ? tcp(*tcp_) : echo();
}

/// What to do when all is well here and nothing comes back.
std::string look_over_there(const Whose& whose, const Address& target) {
    if (!whose.peer)
        return fmt::format("is the host on, and does its firewall let this router in? ip neigh show {}",
                           whose.real->text());
    return fmt::format(
        "at {}: natctl status, then natctl ping {} there; of WireGuard, AllowedIPs must hold {} here and "
        "this site's virtual prefixes there",
        whose.peer->name, target.text(), whose.prefix->text());
}

bool Ping::echo() {
    const auto knock = knock_echo(target_, deadline_);
    if (knock.error == 0) return pass("target", fmt::format("{} answers in {:.2f} ms", shown(), knock.took.count()));
    const auto what = knock.error == ETIMEDOUT ? fmt::format("{} does not answer an echo request", shown())
                                               : fmt::format("{}: {}", shown(), std::strerror(knock.error));
    return fail("target", what, look_over_there(whose_, target_));
}

bool Ping::tcp(std::uint16_t port) {
    const auto knock = knock_tcp({target_, port}, deadline_);
    if (knock.error == 0)
        return pass("target",
                    fmt::format("{} takes connections at port {} in {:.2f} ms", shown(), port, knock.took.count()));
    if (knock.error == ECONNREFUSED)
        return fail("target", fmt::format("{} answers, but refuses port {}", shown(), port),
                    "start the server on that host, or ask another port");
    return fail("target", fmt::format("{} port {}: {}", shown(), port, std::strerror(knock.error)),
                look_over_there(whose_, target_));
}

bool Ping::through_proxy(std::uint16_t port) {
    constexpr std::uint8_t succeeded = 0;
    constexpr std::uint8_t refused = 5;
    const auto reply = proxy_->connect({target_, port}, deadline_);
    const bool hung_up = reply.code == succeeded && proxy_->closes_within(second_thoughts);
    if (!reply.code || hung_up)
        return fail("target",
                    fmt::format("the proxy {} for {} port {}",
                                hung_up ? "said yes and then hung up" : "gave no answer in time", shown(), port),
                    look_over_there(whose_, target_));
    if (*reply.code == refused && !tcp_)
        return pass("target",
                    fmt::format("{} is there in {:.1f} ms; it refuses port {}", shown(), reply.took.count(), port));
    if (*reply.code == refused)
        return fail("target", fmt::format("{} answers, but refuses port {}", shown(), port),
                    "start the server on that host, or ask another port");
    if (*reply.code != succeeded)
        return fail("target",
                    fmt::format("the proxy says of {} port {}: {}", shown(), port, socks_reply_text(*reply.code)),
                    look_over_there(whose_, target_));
    // The same way as any program of this machine: by the kernel into the tunnel.
    const auto own = knock_tcp({target_, port}, deadline_);
    if (own.error != 0)
        return fail("tunnel",
                    fmt::format("natctl-tunnel takes no connection to {}: {}", shown(), std::strerror(own.error)),
                    "journalctl -u natctl-tunnel");
    return pass("target",
                fmt::format("{} takes connections at port {} in {:.1f} ms", shown(), port, reply.took.count()));
}

void print(const std::string& target, const std::vector<Layer>& layers) {
    Json list = Json::array();
    for (const auto& layer : layers)
        list.push_back(
            {{"layer", layer.name}, {"passed", layer.passed}, {"text", layer.text}, {"remedy", layer.remedy}});
    const auto& last = layers.back();
    const Json answer{{"target", target},
                      {"reached", last.passed},
                      {"failed_layer", last.passed ? Json() : Json(last.name)},
                      {"layers", list}};
    fmt::print("{}\n", answer.dump(2, ' ', false, Json::error_handler_t::replace));
}

int run(const Options& options, const Question& question) {
    const auto site = read_site_quietly(options.config);
    if (!site) return exit_error;
    const auto kernel = open_kernel(options, *site);
    const auto layers = Ping(*site, question, *kernel).run();
    if (options.json) {
        print(question.target, layers);
    } else {
        for (const auto& layer : layers) {
            fmt::print("{:<7} {}  {}\n", layer.name, layer.passed ? "ok  " : "FAIL", layer.text);
            if (!layer.remedy.empty()) fmt::print("        do    {}\n", layer.remedy);
        }
    }
    return layers.back().passed ? exit_done : exit_error;
}

} // namespace

void add_ping(CommandLine& line) {
    const auto question = std::make_shared<Question>();
    auto& verb = line.verb("ping", "Test the way to a host layer by layer, and name the layer that fails.",
                           "natctl ping 240.2.2.20\n  natctl ping 240.2.2.20 --tcp 443",
                           [&line, question] { return run(line.options(), *question); });
    verb.add_option("target", question->target, "a virtual address, or a name of site.toml")->required();
    verb.add_option("--tcp", question->tcp, "ask this TCP port; else an echo request, or port 80 by a proxy")
        ->check(CLI::Range(1, 65535));
    verb.add_option("--timeout", question->seconds, "seconds for all layers together")
        ->check(CLI::Range(0.1, 10.0))
        ->capture_default_str();
}

} // namespace natctl
