// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/names.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/plan/whose.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

struct Answer {
    std::string asked;
    /// Absent: a name that the site has not.
    std::optional<Address> address;
    Whose whose;

    /// Whether the question was answered: an address that belongs to somebody and leads somewhere.
    bool found() const {
        return whose.kind == Whose::Kind::peers || (whose.kind != Whose::Kind::nobodys && whose.real);
    }
};

Answer answer(const Site& site, const std::string& asked) {
    Answer result{.asked = asked, .address = Address::parse(asked), .whose = {}};
    if (!result.address)
        if (const auto* map = find_name(site, asked)) result.address = map->virtual_prefix.network();
    if (result.address) result.whose = whose(site, *result.address);
    return result;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

/// "192.168.1.20 here (printer), for peers 240.1.1.20, 64:ff9b:1111::192.168.1.20"
std::string own(const Site& site, const Whose& found) {
    std::vector<std::string> names;
    for (const auto& address : found.virtuals) names.push_back(address_text(site, address));
    auto text = found.real->text() + " here";
    if (!found.name.empty()) text += fmt::format(" ({})", found.name);
    if (!names.empty()) text += ", for peers " + joined(names);
    if (found.seen_as_router)
        text += names.empty() ? ", without a name for peers, which see what it sends as the router's"
                              : ", which see what it sends as the router's";
    return text;
}

std::string words(const Site& site, const Answer& item) {
    if (!item.address)
        return "no name of this site; names of other sites are known to their own routers only: give an address";
    const auto& found = item.whose;
    switch (found.kind) {
    case Whose::Kind::nobodys: return "nobody's: no map of this site and no peer has it";
    case Whose::Kind::peers: {
        auto text = fmt::format("peer {}, as part of {}", found.peer->name, found.prefix->text());
        if (found.embedded) text += fmt::format(", {} there", found.embedded->text());
        return text;
    }
    case Whose::Kind::own_virtual:
    case Whose::Kind::own_real:
        if (!found.real) return fmt::format("site {}, but no map gives it to a host", site.name);
        return own(site, found);
    }
    return {};
}

Json to_json(const Site& site, const Answer& item) {
    const auto& found = item.whose;
    Json virtuals = Json::array();
    for (const auto& address : found.virtuals) virtuals.push_back(address_text(site, address));
    const auto text = [](const std::optional<Address>& address) { return address ? Json(address->text()) : Json(); };
    return {{"asked", item.asked},          {"address", text(item.address)},
            {"whose", name_of(found.kind)}, {"peer", found.peer ? Json(found.peer->name) : Json()},
            {"name", found.name},           {"real", found.embedded ? text(found.embedded) : text(found.real)},
            {"virtual", virtuals},          {"seen_as_router", found.seen_as_router}};
}

int run(const Options& options, const std::vector<std::string>& questions) {
    const auto site = read_site_quietly(options.config);
    if (!site) return exit_error;
    std::vector<Answer> answers;
    for (const auto& asked : questions) answers.push_back(answer(*site, asked));
    if (options.json) {
        Json list = Json::array();
        for (const auto& item : answers) list.push_back(to_json(*site, item));
        fmt::print("{}\n", list.dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        for (const auto& item : answers) fmt::print("{}: {}\n", item.asked, words(*site, item));
    }
    return std::ranges::all_of(answers, &Answer::found) ? exit_done : exit_error;
}

} // namespace

void add_resolve(CommandLine& line) {
    const auto questions = std::make_shared<std::vector<std::string>>();
    auto& verb = line.verb("resolve", "Say whose names and addresses are, real for virtual and virtual for real.",
                           "natctl resolve printer 240.1.1.20 192.168.1.20 64:ff9b:2222::192.168.1.20",
                           [&line, questions] { return run(line.options(), *questions); });
    verb.add_option("names", *questions, "names of site.toml, virtual and real addresses")->required();
}

} // namespace natctl
