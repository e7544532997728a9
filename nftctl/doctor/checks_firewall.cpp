// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "nftctl/doctor/checks.h"
#include "nftctl/doctor/flows.h"

namespace natctl::doctor {

namespace {

using firewall::Fate;

std::string name_of(const firewall::Table& table, const std::string& chain) {
    return fmt::format("chain {} of table {} {}", chain, text(table.family), table.name);
}

/// A chain that iptables-nft made: its users look at it with iptables.
bool of_iptables(const firewall::Table& table, const firewall::Chain& chain) {
    const bool upper = std::ranges::all_of(chain.name, [](char c) { return c >= 'A' && c <= 'Z'; });
    return table.family != firewall::TableFamily::inet && upper &&
           (table.name == "filter" || table.name == "mangle" || table.name == "raw");
}

/// The same trouble for several flows is one finding.
struct Trouble {
    const firewall::Table* table = nullptr;
    const firewall::Chain* chain = nullptr;
    firewall::Outcome outcome;
    std::vector<const Flow*> flows;
};

std::string mend(const Trouble& trouble) {
    const firewall::Table& table = *trouble.table;
    const firewall::Chain& chain = *trouble.chain;
    std::vector<std::string> commands;
    const bool iptables = of_iptables(table, chain);
    for (const Flow* flow : trouble.flows) {
        std::string command;
        if (iptables)
            command = fmt::format("{} -t {} -I {} {} -j ACCEPT",
                                  table.family == firewall::TableFamily::ip ? "iptables" : "ip6tables", table.name,
                                  chain.name, flow->iptables);
        else
            command =
                fmt::format("insert rule {} {} {} {} accept", text(table.family), table.name, chain.name, flow->nft);
        if (std::ranges::find(commands, command) == commands.end()) commands.push_back(std::move(command));
    }
    std::string all;
    for (const std::string& command : commands) all += (all.empty() ? "" : iptables ? " && " : "; ") + command;
    return iptables ? all : "nft '" + all + "'";
}

std::string words_of(const Trouble& trouble) {
    std::vector<std::string> words;
    for (const Flow* flow : trouble.flows)
        if (std::ranges::find(words, flow->words) == words.end()) words.push_back(flow->words);
    std::string text = words.front();
    if (words.size() == 2) text += ", and " + words[1];
    if (words.size() > 2) text += fmt::format(", and {} other flows", words.size() - 1);
    return text;
}

std::string rule_of(const Trouble& trouble) {
    if (!trouble.outcome.rule) return "by its policy";
    return fmt::format("by the rule with handle {} in chain {}", *trouble.outcome.rule, trouble.outcome.chain);
}

class Troubles {
public:
    void add(const firewall::Table& table, const firewall::Chain& chain, const firewall::Outcome& outcome,
             const Flow& flow) {
        const auto same = std::ranges::find_if(list_, [&](const Trouble& trouble) {
            return trouble.chain == &chain && trouble.outcome.fate == outcome.fate &&
                   trouble.outcome.chain == outcome.chain && trouble.outcome.rule == outcome.rule;
        });
        if (same != list_.end())
            same->flows.push_back(&flow);
        else
            list_.push_back({&table, &chain, outcome, {&flow}});
    }
    const std::vector<Trouble>& list() const { return list_; }

private:
    std::vector<Trouble> list_;
};

Finding finding_of_filter(const Trouble& trouble) {
    const bool certain = trouble.outcome.fate == Fate::dropped;
    const std::string chain = name_of(*trouble.table, trouble.chain->name);
    Finding finding{.grade = certain ? Grade::error : Grade::note,
                    .what = fmt::format("{} {} what goes {}, {}", chain, certain ? "drops" : "may drop",
                                        words_of(trouble), rule_of(trouble)),
                    .why = certain ? "these flows do not work"
                                   : "whether it does depends on what natctl doctor does not know"};
    if (certain) {
        finding.command = mend(trouble);
        finding.advice = "write it to that firewall's own configuration too: a reload takes the rule away";
    } else {
        finding.advice = "if these flows do not work: " + mend(trouble);
    }
    return finding;
}

} // namespace

Findings check_filters(const Site& site, const Examination& seen) {
    if (!seen.tables) return {unchecked(seen.tables.failure)};
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    const auto flows = filtered_flows(site, *seen.facts);
    Troubles troubles;
    for (const auto& table : *seen.tables)
        for (const auto& chain : table.chains) {
            if (!chain.hook || chain.hook->type == nft::ChainType::nat) continue;
            for (const Flow& flow : flows) {
                if (flow.hook != chain.hook->point || !table.sees(flow.packet.family)) continue;
                const auto outcome = follow(table, chain, flow.packet);
                if (outcome.fate == Fate::dropped || outcome.fate == Fate::may_be_dropped)
                    troubles.add(table, chain, outcome, flow);
            }
        }
    Findings findings;
    for (const Trouble& trouble : troubles.list()) findings.push_back(finding_of_filter(trouble));
    return findings;
}

Findings check_nat(const Site& site, const Examination& seen) {
    if (!seen.tables) return {unchecked(seen.tables.failure)};
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    const auto flows = translated_flows(site, *seen.facts);
    Troubles troubles;
    for (const auto& table : *seen.tables)
        for (const auto& chain : table.chains) {
            if (!chain.hook || chain.hook->type != nft::ChainType::nat) continue;
            for (const auto& [flow, priority] : flows) {
                if (flow.hook != chain.hook->point || chain.hook->priority > priority ||
                    !table.sees(flow.packet.family))
                    continue;
                const auto outcome = follow(table, chain, flow.packet);
                if (outcome.fate == Fate::translated || outcome.fate == Fate::may_be_translated)
                    troubles.add(table, chain, outcome, flow);
            }
        }
    Findings findings;
    for (const Trouble& trouble : troubles.list()) {
        const bool certain = trouble.outcome.fate == Fate::translated;
        // An accept ends this chain alone; natctl's, at another priority, still gets the packet.
        const std::string command = mend(trouble);
        const auto& hook = *trouble.chain->hook;
        const bool only_source = hook.point == nft::HookPoint::postrouting && hook.priority > own_source_priority;
        Finding finding{.grade = !certain      ? Grade::note
                                 : only_source ? Grade::warning
                                               : Grade::error,
                        .what =
                            fmt::format("{} (priority {}) {} what goes {}, {}",
                                        name_of(*trouble.table, trouble.chain->name), hook.priority,
                                        certain ? "translates" : "may translate", words_of(trouble), rule_of(trouble)),
                        .why = only_source ? "hosts of the LAN see this router as the client, not who called"
                                           : "a connection is translated once: natctl's translation is not done then"};
        if (certain) {
            finding.command = command;
            finding.advice = "write it to that firewall's own configuration too: a reload takes the rule away";
        } else {
            finding.advice = "if these flows do not work: " + command;
        }
        findings.push_back(std::move(finding));
    }
    return findings;
}

Findings check_marks(const Site& site, const Examination& seen) {
    if (!seen.tables) return {unchecked(seen.tables.failure)};
    Findings findings;
    for (const auto& table : *seen.tables)
        for (const auto& chain : table.chains)
            for (const auto& rule : chain.rules) {
                if (!changes_mark(rule, site.marks.mask())) continue;
                findings.push_back(
                    {.grade = Grade::warning,
                     .what = fmt::format("the rule with handle {} in {} changes bits {:#010x} of the mark", rule.handle,
                                         name_of(table, chain.name), site.marks.mask()),
                     .why = "natctl keeps there which way a flow goes: flows it touches go the wrong way",
                     .command = fmt::format("nft delete rule {} {} {} handle {}", text(table.family), table.name,
                                            chain.name, rule.handle),
                     .advice = "where the rule is needed, let it keep these bits (mark set mark and MASK or VALUE), or "
                               "give natctl another mask in [marks] of site.toml"});
            }
    return findings;
}

Findings check_legacy_tables(const Examination& seen) {
    if (!seen.legacy_tables) return {unchecked(seen.legacy_tables.failure)};
    if (seen.legacy_tables->empty()) return {};
    std::string list;
    for (const auto& name : *seen.legacy_tables) list += (list.empty() ? "" : ", ") + name;
    return {{.grade = Grade::note,
             .what = "there are tables of the old iptables, which were not looked at: " + list,
             .why = "they may drop or translate what goes between the sites",
             .advice = "look at them with iptables-legacy-save, or move them to nf_tables with iptables-translate"}};
}

} // namespace natctl::doctor
