// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/render.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "nftctl/plan/ranges.h"
#include "nftctl/plan/verdict_data.h"

namespace natctl {

namespace {

using namespace nft;

const char* name_of(Datatype type) {
    switch (type) {
    case Datatype::ipv4_addr: return "ipv4_addr";
    case Datatype::ipv6_addr: return "ipv6_addr";
    case Datatype::ifname: return "ifname";
    case Datatype::inet_proto: return "inet_proto";
    case Datatype::verdict: return "verdict";
    }
    return "?";
}

std::string one_value(Datatype type, std::span<const std::uint8_t> bytes) {
    switch (type) {
    case Datatype::ipv4_addr: return Address::from_bytes(Family::ipv4, bytes).text();
    case Datatype::ipv6_addr: return Address::from_bytes(Family::ipv6, bytes).text();
    case Datatype::ifname: {
        const auto end = std::ranges::find(bytes, 0);
        return "\"" + std::string(bytes.begin(), end) + "\"";
    }
    case Datatype::inet_proto:
        return bytes[0] == 6 ? "tcp" : bytes[0] == 17 ? "udp" : std::to_string(unsigned{bytes[0]});
    // Never part of a key.
    case Datatype::verdict: break;
    }
    return {};
}

bool is_address(Datatype type) { return type == Datatype::ipv4_addr || type == Datatype::ipv6_addr; }

std::string value_or_range(Datatype type, std::span<const std::uint8_t> first, std::span<const std::uint8_t> last) {
    if (std::ranges::equal(first, last)) return one_value(type, first);
    if (is_address(type)) {
        const auto family = type == Datatype::ipv4_addr ? Family::ipv4 : Family::ipv6;
        const AddressRange range{Address::from_bytes(family, first), Address::from_bytes(family, last)};
        if (const auto prefix = as_prefix(range)) return prefix->text();
    }
    return one_value(type, first) + "-" + one_value(type, last);
}

std::string type_text(const SetSpec& spec) {
    std::string text;
    for (const auto type : spec.key) text += (text.empty() ? "" : " . ") + std::string(name_of(type));
    if (spec.data) text += fmt::format(" : {}{}", spec.data_interval ? "interval " : "", name_of(*spec.data));
    return text;
}

const char* word(const SetSpec& spec) { return spec.data ? "map" : "set"; }

/// Between the braces: type, flags, size.
std::string spec_text(const SetSpec& spec) {
    std::string text = "type " + type_text(spec) + ";";
    if (spec.interval || spec.timeout)
        text += fmt::format(" flags {};", !spec.timeout ? "interval" : spec.interval ? "interval,timeout" : "timeout");
    if (spec.size) text += fmt::format(" size {};", spec.size);
    return text;
}

std::string elements_text(const SetSpec& spec, const Elements& elements, const Lifetimes& lifetimes = {}) {
    std::string text;
    for (const auto& element : elements) {
        text += (text.empty() ? "" : ", ") + render(spec, element);
        // Only sets have lifetimes: in a map the data would follow them.
        if (const auto found = lifetimes.find(element.first()); found != lifetimes.end())
            text += fmt::format(" timeout {}s", std::chrono::ceil<std::chrono::seconds>(found->second).count());
    }
    return "{ " + text + " }";
}

const char* word(ChainType type) {
    switch (type) {
    case ChainType::filter: return "filter";
    case ChainType::nat: return "nat";
    case ChainType::route: return "route";
    }
    return "?";
}

const char* word(HookPoint point) {
    switch (point) {
    case HookPoint::prerouting: return "prerouting";
    case HookPoint::input: return "input";
    case HookPoint::forward: return "forward";
    case HookPoint::output: return "output";
    case HookPoint::postrouting: return "postrouting";
    }
    return "?";
}

std::string hook_text(const Hook& hook) {
    return fmt::format("type {} hook {} priority {}; policy accept;", word(hook.type), word(hook.point), hook.priority);
}

std::string helper_text(const HelperObject& helper) {
    return fmt::format("type \"{}\" protocol {};", helper.helper, helper.protocol == 6 ? "tcp" : "udp");
}

struct ChangeText {
    std::string operator()(const AddTable& add) const {
        return std::string("add table inet natctl") + (add.ownable ? " { flags owner,persist; }" : "");
    }
    std::string operator()(const DeleteTable&) const { return "delete table inet natctl"; }
    std::string operator()(const AddSet& add) const {
        return fmt::format("add {} inet natctl {} {{ {} }}", word(add.spec), add.spec.name, spec_text(add.spec));
    }
    std::string operator()(const AddHelper& add) const {
        return fmt::format("add ct helper inet natctl {} {{ {} }}", add.helper.name, helper_text(add.helper));
    }
    std::string operator()(const AddElements& add) const {
        return fmt::format("add element inet natctl {} {}", add.set.name,
                           elements_text(add.set, add.elements, add.lifetimes));
    }
    std::string operator()(const DeleteElements& remove) const {
        auto keys = remove.elements;
        for (auto& element : keys.edit()) element = element.without_data();
        auto spec = remove.set;
        spec.data.reset();
        return fmt::format("delete element inet natctl {} {}", spec.name, elements_text(spec, keys));
    }
    std::string operator()(const AddChain& add) const {
        return fmt::format("add chain inet natctl {}{}", add.name,
                           add.hook ? " { " + hook_text(*add.hook) + " }" : std::string());
    }
    std::string operator()(const DeleteChain& remove) const { return "delete chain inet natctl " + remove.name; }
    std::string operator()(const FlushChain& flush) const { return "flush chain inet natctl " + flush.name; }
    std::string operator()(const AddRule& add) const {
        return fmt::format("add rule inet natctl {} {}", add.chain, render(add.rule));
    }
};

std::string ip_command(Family family) { return family == Family::ipv4 ? "ip" : "ip -6"; }

/// As comments: nft cannot do this, people can read it.
std::string rule_line(const char* verb, const PolicyRule& rule) {
    return fmt::format("# {} rule {} {}\n", ip_command(rule.family), verb, render(rule));
}

std::string route_line(const char* verb, const Route& route) {
    return fmt::format("# {} route {} {}\n", ip_command(route.destination.family()), verb, render(route));
}

} // namespace

std::string render(const SetSpec& spec, const Element& element) {
    std::string text;
    std::size_t offset = 0;
    for (const auto type : spec.key) {
        const std::size_t size = datatype_size(type);
        text += (text.empty() ? "" : " . ") + value_or_range(type, element.first().span().subspan(offset, size),
                                                             element.last().span().subspan(offset, size));
        offset += (size + 3) / 4 * 4;
    }
    if (!spec.data || element.data().empty()) return text;
    if (spec.data == Datatype::verdict) {
        const auto verdict = verdict_of(element.data());
        return text + " : " + (verdict ? render(*verdict) : "?");
    }
    const std::size_t size = datatype_size(*spec.data);
    const auto data = element.data().span();
    const auto last = spec.data_interval ? data.subspan(size, size) : data.first(size);
    return text + " : " + value_or_range(*spec.data, data.first(size), last);
}

std::string render(const PolicyRule& rule) {
    std::string text = fmt::format("pref {}", rule.priority);
    if (!rule.iif.empty()) text += " iif " + rule.iif;
    if (rule.fwmark) text += fmt::format(" fwmark {:#x}/{:#x}", rule.fwmark->value, rule.fwmark->mask);
    return text + fmt::format(" lookup {} proto {}", rule.table, route_protocol);
}

std::string render(const Route& route) {
    std::string text;
    if (route.type == RouteType::local) text += "local ";
    if (route.type == RouteType::unreachable) text += "unreachable ";
    text += route.destination.text();
    if (route.via) text += " via " + route.via->text();
    if (!route.dev.empty()) text += " dev " + route.dev;
    if (route.via) text += " onlink";
    if (route.source) text += " src " + route.source->text();
    return text + fmt::format(" table {} proto {}", route.table, route_protocol);
}

std::string render(const Plan& plan) {
    std::string text;
    if (plan.table) {
        text += "table inet natctl\ndelete table inet natctl\ntable inet natctl {\n";
        // nft 1.0.6 does not know the flags, and a table that is made with them would be nft's own.
        if (plan.table->ownable) text += "\t# flags owner,persist\n";
        for (const auto& set : plan.table->sets) {
            text += fmt::format("\t{} {} {{ {}", word(set.spec), set.spec.name, spec_text(set.spec));
            if (!set.elements.empty())
                text += " elements = " + elements_text(set.spec, set.elements, set.lifetimes) + ";";
            text += " }\n";
        }
        for (const auto& helper : plan.table->helpers)
            text += fmt::format("\tct helper {} {{ {} }}\n", helper.name, helper_text(helper));
        for (const auto& chain : plan.table->chains) {
            text += fmt::format("\n\tchain {} {{\n", chain.name);
            if (chain.hook) text += "\t\t" + hook_text(*chain.hook) + "\n";
            for (const auto& rule : chain.rules) text += "\t\t" + render(rule) + "\n";
            text += "\t}\n";
        }
        text += "}\n";
    }
    for (const auto& rule : plan.rules) text += rule_line("add", rule);
    for (const auto& route : plan.routes) text += route_line("add", route);
    return text;
}

std::string render(const Transaction& transaction) {
    std::string text;
    for (const auto& route : transaction.remove_routes_first) text += route_line("del", route);
    for (const auto& change : transaction.changes) text += std::visit(ChangeText{}, change) + "\n";
    for (const auto& route : transaction.add_routes) text += route_line("replace", route);
    for (const auto& rule : transaction.add_rules) text += rule_line("add", rule);
    for (const auto& rule : transaction.remove_rules) text += rule_line("del", rule);
    for (const auto& route : transaction.remove_routes_last) text += route_line("del", route);
    return text;
}

} // namespace natctl
