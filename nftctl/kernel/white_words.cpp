// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/white_words.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "nftctl/plan/ranges.h"
#include "nftctl/plan/white_list.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

/// As people write it: an address without its length.
std::string text_of(const Prefix& prefix) { return prefix.is_host() ? prefix.network().text() : prefix.text(); }

/// Whose virtual prefix it is: "240.2.2.0/24 of peer b"; nullopt: it lies in none, or in several together.
std::optional<std::string> virtual_owner(const Site& site, const Prefix& prefix) {
    for (const auto& map : site.maps)
        if (map.virtual_prefix.contains(prefix)) return map.virtual_prefix.text() + " of this site";
    for (const auto& map : site.embedding_maps)
        if (map.virtual_prefix.contains(prefix)) return map.virtual_prefix.text() + " of this site";
    for (const auto& peer : site.peers)
        for (const auto& other : peer.virtual_prefixes)
            if (other.contains(prefix)) return fmt::format("{} of peer {}", other.text(), peer.name);
    return std::nullopt;
}

bool is_virtual(const Site& site, const Prefix& prefix) {
    return without(prefix.range(), MapParts(site).virtual_ranges(prefix.family())).empty();
}

/// What site.toml, as it is applied, says about it: "it is on the white list by prefixes in [white_list] ...".
std::optional<std::string> where_else(const Site& site, const WhiteWord& word) {
    const auto& list = site.white_list;
    const auto names = [&](const std::string& key) { return fmt::format("site.toml has it, {} in [white_list]", key); };
    if (std::ranges::find(list.endpoints, word.text) != list.endpoints.end()) return names("under endpoints");
    if (!word.prefix) return std::nullopt;
    for (const auto& prefix : list.prefixes)
        if (prefix.contains(*word.prefix))
            return names(prefix == *word.prefix ? "under prefixes" : "in prefix " + prefix.text());
    if (list.private_networks)
        for (const auto& prefix : private_networks())
            if (prefix.contains(*word.prefix)) return names("by private = true");
    return std::nullopt;
}

std::string why_not_there(const Site& site, const std::vector<RunTimeRecord>& list, const WhiteWord& word) {
    if (const auto other = where_else(site, word)) return *other + ": take it out there, and `natctl apply`";
    if (word.prefix)
        for (const auto& record : list)
            if (record.prefix.overlaps(*word.prefix)) return fmt::format("{} was: delete that", text_of(record.prefix));
    return "`natctl whitelist list` shows what was, as \"run time\"";
}

} // namespace

WhiteWord white_word(const std::string& text) {
    static const Prefix mapped = *Prefix::parse("::ffff:0:0/96");
    if (const auto prefix = Prefix::parse(text)) {
        if (mapped.contains(*prefix))
            throw std::invalid_argument(
                fmt::format("{} is an IPv4 address in IPv6 form: write {}", text, prefix->network().unmapped().text()));
        return {.text = text, .prefix = prefix};
    }
    if (!is_dns_name(text))
        throw std::invalid_argument(
            fmt::format("\"{}\" is neither an address, nor a prefix, nor the name of a host: write for example "
                        "203.0.113.5, 203.0.113.0/24 or proxy.example.net",
                        text));
    return {.text = text};
}

std::vector<RunTimeRecord> records_for(const std::vector<WhiteWord>& words,
                                       std::optional<std::chrono::nanoseconds> deadline,
                                       const std::function<std::vector<Address>(const std::string&)>& look_up) {
    std::vector<RunTimeRecord> records;
    for (const auto& word : words) {
        if (word.prefix) {
            records.push_back({*word.prefix, deadline, {}});
            continue;
        }
        const auto addresses = look_up(word.text);
        if (addresses.empty())
            throw std::invalid_argument(
                fmt::format("{} does not resolve: `getent ahosts {}` shows when it does; or add its address", word.text,
                            word.text));
        for (const auto& address : addresses) records.push_back({Prefix(address, address.bits()), deadline, word.text});
    }
    return records;
}

std::vector<RunTimeRecord> spared(const Site& site, std::vector<RunTimeRecord> records) {
    std::vector<RunTimeRecord> result;
    for (const auto& record : records) {
        if (!is_virtual(site, record.prefix)) {
            result.push_back(record);
            continue;
        }
        const bool others = !record.name.empty() && std::ranges::any_of(records, [&](const RunTimeRecord& other) {
            return other.name == record.name && !is_virtual(site, other.prefix);
        });
        if (others) continue;
        const auto what =
            record.name.empty() ? text_of(record.prefix) : fmt::format("{} ({})", record.name, text_of(record.prefix));
        throw std::invalid_argument(fmt::format(
            "cannot add {} to the white list: it lies in {}, and virtual addresses are never spared; take the real "
            "address, or let `natctl trace` say what becomes of it",
            what, virtual_owner(site, record.prefix).value_or("virtual prefixes")));
    }
    return result;
}

std::vector<RunTimeRecord> with_added(std::vector<RunTimeRecord> list, const std::vector<RunTimeRecord>& records) {
    for (const auto& record : records) {
        const auto found = std::ranges::find(list, record.prefix, &RunTimeRecord::prefix);
        if (found == list.end())
            list.push_back(record);
        else
            *found = record;
    }
    return list;
}

std::vector<RunTimeRecord> without_deleted(const Site& site, std::vector<RunTimeRecord> list,
                                           const std::vector<WhiteWord>& words) {
    const auto is_meant = [](const WhiteWord& word, const RunTimeRecord& record) {
        return word.prefix ? record.prefix == *word.prefix : record.name == word.text;
    };
    for (const auto& word : words)
        if (std::ranges::none_of(list, [&](const RunTimeRecord& record) { return is_meant(word, record); }))
            throw std::invalid_argument(
                fmt::format("cannot delete {} from the white list: it was not added at run time; {}", word.text,
                            why_not_there(site, list, word)));
    std::erase_if(list, [&](const RunTimeRecord& record) {
        return std::ranges::any_of(words, [&](const WhiteWord& word) { return is_meant(word, record); });
    });
    return list;
}

} // namespace natctl
