// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/change_words.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

#include <fmt/format.h>

#include "nftctl/plan/identity.h"

namespace natctl {

namespace {

struct Elements {
    std::size_t added = 0;
    std::size_t deleted = 0;
};

std::string counted(std::size_t count, const char* one, const char* many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

} // namespace

std::string words_for(const Transaction& change) {
    std::vector<std::string> words;
    if (change.makes_table_anew()) {
        words.push_back(std::string("table inet ") + nft::table_name);
    } else {
        std::map<std::string, Elements> sets;
        std::set<std::string> chains;
        for (const auto& item : change.changes) {
            if (const auto* added = std::get_if<nft::AddElements>(&item))
                sets[added->set.name].added += added->elements.size();
            if (const auto* deleted = std::get_if<nft::DeleteElements>(&item))
                sets[deleted->set.name].deleted += deleted->elements.size();
            if (const auto* rule = std::get_if<nft::AddRule>(&item)) chains.insert(rule->chain);
            if (const auto* chain = std::get_if<nft::FlushChain>(&item)) chains.insert(chain->name);
        }
        // It says which table this is, and goes with every other change.
        if (sets.size() + chains.size() > 1) sets.erase(identity_name);
        for (const auto& [name, elements] : sets) {
            std::string text = name;
            if (elements.added != 0) text += fmt::format(" +{}", elements.added);
            if (elements.deleted != 0) text += fmt::format(" -{}", elements.deleted);
            words.push_back(std::move(text));
        }
        if (!chains.empty()) words.push_back("rules of " + fmt::format("{}", fmt::join(chains, ", ")));
    }
    const auto routes = change.add_routes.size() + change.remove_routes_first.size() + change.remove_routes_last.size();
    if (routes != 0) words.push_back(counted(routes, "route", "routes"));
    const auto rules = change.add_rules.size() + change.remove_rules.size();
    if (rules != 0) words.push_back(counted(rules, "policy rule", "policy rules"));
    return fmt::format("{}", fmt::join(words, ", "));
}

std::string few_of(const std::vector<std::string>& list) {
    constexpr std::size_t most = 5;
    const auto shown = std::min(list.size(), most);
    auto text = fmt::format("{}", fmt::join(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (list.size() > shown) text += fmt::format(" and {} more", list.size() - shown);
    return text;
}

} // namespace natctl
