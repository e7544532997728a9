// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/names.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/route_lookup.h"
#include "nftctl/plan/compile.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

struct Question {
    std::string source;
    std::string destination;
    std::string protocol = "tcp";
    std::uint16_t port = 0;
    std::string in;
    bool wanted = false;
    bool rules = false;
};

Protocol protocol_of(const std::string& name) {
    if (name == "udp") return Protocol::udp;
    if (name == "icmp") return Protocol::icmp;
    return Protocol::tcp;
}

/// How flows from a peer's tunnel come in: not as packets, but as connections of this machine.
bool comes_by_proxy(const Site& site, const Facts& facts, const Address& source) {
    const auto peer = std::ranges::find_if(site.peers, [&](const Peer& item) {
        return std::ranges::any_of(item.virtual_prefixes, [&](const Prefix& p) { return p.contains(source); });
    });
    if (peer == site.peers.end()) return false;
    const auto* link = usable_link(*peer, facts);
    return link && std::holds_alternative<SocksLink>(*link);
}

Json to_json(const std::vector<Step>& steps) {
    Json result = Json::array();
    for (const auto& step : steps) result.push_back({{"text", step.text}, {"rules", step.rules}});
    return result;
}

Json text_or_null(const std::optional<Address>& address) { return address ? Json(address->text()) : Json(nullptr); }

void print(const Flow& flow, const Trace& found) {
    const Json answer{{"passes", found.passes()},
                      {"fate", name_of(found.fate)},
                      {"reason", found.reason},
                      {"sender_sees", found.sender_sees},
                      {"in", flow.in},
                      {"out", found.out},
                      {"source", found.source.text()},
                      {"destination", found.destination.text()},
                      {"answer_source", text_or_null(found.answer_source)},
                      {"answer_destination", text_or_null(found.answer_destination)},
                      {"steps", to_json(found.steps)},
                      {"answer", to_json(found.answer)},
                      {"doubts", found.doubts}};
    fmt::print("{}\n", answer.dump(2));
}

void print(const std::vector<Step>& steps, bool rules) {
    for (const auto& step : steps) {
        if (rules)
            for (const auto& rule : step.rules) fmt::print("    {}\n", rule);
        fmt::print("{}\n", step.text);
    }
}

int run(const Options& options, const Question& question) {
    const auto site = question.wanted ? read_site_quietly(options.config) : site_for_names(options.config);
    if (question.wanted && !site) return exit_error;
    // What the kernel holds does not depend on the endpoints of the white list, which take a while to look up.
    const auto kernel = question.wanted ? open_kernel(options, *site) : make_linux_kernel();
    Surroundings surroundings{.facts = kernel->read_facts(site ? *site : Site{}),
                              .other_route = look_up_route,
                              .listens = listens,
                              .site = site ? &*site : nullptr};
    const auto plan = question.wanted ? compile(*site, surroundings.facts) : kernel->read().plan;

    Flow flow{.protocol = protocol_of(question.protocol), .port = question.port};
    flow.destination = destination_of(surroundings.site, question.destination);
    std::vector<Step> beforehand;
    if (question.source != "router") {
        const auto sender = source_of(surroundings.site, question.source);
        // Told where it arrives, it is taken at its word, as a forged one.
        flow.source = question.in.empty() ? sent_as(plan, sender) : sender;
        if (!flow.source)
            throw std::invalid_argument(fmt::format("nobody sends as {}: it is virtual here and no host has it; give "
                                                    "a host's real address",
                                                    sender.text()));
        if (flow.source != sender)
            beforehand.push_back({fmt::format("{} is what others call {} here: its packets arrive with that source",
                                              sender.text(), flow.source->text()),
                                  {}});
        if (flow.source->family() != flow.destination.family())
            throw std::invalid_argument(
                fmt::format("{} is an {} address and {} is not: a flow has two of one family", flow.source->text(),
                            flow.source->family() == Family::ipv4 ? "IPv4" : "IPv6", flow.destination.text()));
        if (!question.in.empty())
            flow.in = question.in;
        else if (site && comes_by_proxy(*site, surroundings.facts, *flow.source))
            beforehand.push_back({std::exchange(flow.source, std::nullopt)->text() +
                                      " is reached by a proxy: its flows come as connections of the tunnel here",
                                  {}});
        else
            flow.in = arrival(plan, surroundings, *flow.source).value_or("");
    }

    auto found = trace(plan, surroundings, flow);
    if (plan == Plan{})
        found.doubts.push_back("this kernel holds nothing of natctl's: natctl apply puts it there, --wanted shows "
                               "what would be then");
    if (!question.wanted)
        if (auto doubt = overruled(plan, surroundings.facts, flow.destination))
            found.doubts.push_back(std::move(*doubt));
    found.steps.insert(found.steps.begin(), beforehand.begin(), beforehand.end());
    if (options.json) {
        print(flow, found);
    } else {
        print(found.steps, question.rules);
        print(found.answer, question.rules);
        for (const auto& doubt : found.doubts) fmt::print("in doubt: {}\n", doubt);
    }
    return found.passes() ? exit_done : exit_error;
}

} // namespace

void add_trace(CommandLine& line) {
    const auto question = std::make_shared<Question>();
    auto& verb = line.verb("trace", "Follow a flow through this router, step by step; exit code 1 when it is refused.",
                           "natctl trace 192.168.1.20 240.2.2.20 tcp 80\n"
                           "  natctl trace router 240.2.2.20 icmp\n"
                           "  natctl trace 240.2.2.20 printer --rules",
                           [&line, question] { return run(line.options(), *question); });
    verb.add_option("source", question->source, "an address, a name of site.toml, or `router`")->required();
    verb.add_option("destination", question->destination, "an address, or a name of site.toml")->required();
    verb.add_option("protocol", question->protocol, "tcp, udp or icmp")
        ->check(CLI::IsMember({"tcp", "udp", "icmp"}))
        ->capture_default_str();
    verb.add_option("port", question->port, "of the destination");
    verb.add_option("--in", question->in, "the interface by which it arrives; else where its source is");
    verb.add_flag("--wanted", question->wanted, "by what site.toml says instead of what the kernel holds");
    verb.add_flag("--rules", question->rules, "print the rules that led to each step");
}

} // namespace natctl
