// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <iterator>
#include <set>

#include "nftctl/doctor/checks.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"
#include "nftctl/plan/render.h"

namespace natctl::doctor {

namespace {

constexpr std::size_t most_named = 3;

/// The set or chain that a change is about.
struct Subject {
    std::string operator()(const nft::AddTable&) const { return {}; }
    std::string operator()(const nft::DeleteTable&) const { return {}; }
    std::string operator()(const nft::AddSet& change) const { return "set " + change.spec.name; }
    std::string operator()(const nft::AddElements& change) const { return "set " + change.set.name; }
    std::string operator()(const nft::DeleteElements& change) const { return "set " + change.set.name; }
    std::string operator()(const nft::AddChain& change) const { return "chain " + change.name; }
    std::string operator()(const nft::DeleteChain& change) const { return "chain " + change.name; }
    std::string operator()(const nft::FlushChain& change) const { return "chain " + change.name; }
    std::string operator()(const nft::AddRule& change) const { return "chain " + change.chain; }
    template <class Other>
    std::string operator()(const Other&) const {
        return {};
    }
};

std::string joined(const std::vector<std::string>& items) {
    std::string list;
    for (std::size_t i = 0; i < items.size() && i < most_named; ++i) list += (i == 0 ? "" : ", ") + items[i];
    if (items.size() > most_named) list += " and " + std::to_string(items.size() - most_named) + " more";
    return list;
}

Finding apply_again(const Examination& seen, std::string what, std::string why) {
    return {.grade = Grade::error,
            .what = std::move(what),
            .why = std::move(why),
            .command = natctl_command(seen.invocation, "apply"),
            .advice = "`" + natctl_command(seen.invocation, "plan") + "` shows what it would change"};
}

/// Of two sorted lists.
template <class Item>
Findings compare(const Examination& seen, const std::vector<Item>& actual, const std::vector<Item>& wanted,
                 const std::string& kind, const std::string& why) {
    std::vector<Item> missing;
    std::vector<Item> extra;
    std::ranges::set_difference(wanted, actual, std::back_inserter(missing));
    std::ranges::set_difference(actual, wanted, std::back_inserter(extra));
    const auto words = [](const std::vector<Item>& items) {
        std::vector<std::string> texts;
        for (const Item& item : items) texts.push_back(render(item));
        return joined(texts);
    };
    Findings findings;
    if (!missing.empty()) findings.push_back(apply_again(seen, kind + " missing: " + words(missing), why));
    if (!extra.empty())
        findings.push_back(apply_again(seen, kind + " that site.toml does not ask for: " + words(extra),
                                       "they belong to a former state and lead elsewhere"));
    return findings;
}

std::optional<Finding> not_to_compare(const Examination& seen) {
    if (!seen.plan) return unchecked(seen.plan.failure);
    if (!seen.facts) return unchecked(seen.facts.failure);
    return std::nullopt;
}

} // namespace

Findings check_table(const Site& site, const Examination& seen) {
    if (auto failure = not_to_compare(seen)) return {*failure};
    if (!seen.plan->table)
        return {apply_again(seen, "table inet natctl is not there",
                            "it was never applied, or somebody flushed the ruleset: nothing is translated")};
    if (!seen.white_now_failure.empty())
        return {{.grade = Grade::error,
                 .what = seen.white_now_failure,
                 .why = "as long as it stands there, nothing can be applied",
                 .command = "rm " + seen.invocation.run_dir + "/white_list",
                 .advice = "`" + natctl_command(seen.invocation, "apply") + "` after that"}};
    Plan actual;
    actual.table = seen.plan->table;
    Plan wanted;
    wanted.table = compile(site, *seen.facts).table;
    const Transaction change = diff(actual, wanted);
    if (change.changes.empty()) return {};
    std::set<std::string> subjects;
    for (const auto& item : change.changes)
        if (auto subject = std::visit(Subject{}, item); !subject.empty()) subjects.insert(std::move(subject));
    return {apply_again(seen,
                        "table inet natctl is not as site.toml says: " +
                            joined(std::vector<std::string>(subjects.begin(), subjects.end())),
                        "site.toml or the machine's addresses changed since it was applied, or somebody else wrote "
                        "into the table")};
}

Findings check_policy_rules(const Site& site, const Examination& seen) {
    if (auto failure = not_to_compare(seen)) return {*failure};
    return compare(seen, seen.plan->rules, compile(site, *seen.facts).rules, "policy rules",
                   "packets for peers follow the main table instead of natctl's");
}

Findings check_routes(const Site& site, const Examination& seen) {
    if (auto failure = not_to_compare(seen)) return {*failure};
    return compare(seen, seen.plan->routes, compile(site, *seen.facts).routes, "routes",
                   "the kernel drops routes when their interface goes down, and does not bring them back");
}

} // namespace natctl::doctor
