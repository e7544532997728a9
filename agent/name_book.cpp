// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/name_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace natctl {

namespace {

std::string joined(const std::vector<Address>& addresses) {
    std::string text;
    for (const auto& address : addresses) text += (text.empty() ? "" : ", ") + address.text();
    return text;
}

std::vector<Address> minus(const std::vector<Address>& left, const std::vector<Address>& right) {
    std::vector<Address> result;
    std::ranges::set_difference(left, right, std::back_inserter(result));
    return result;
}

} // namespace

void NameBook::set(const std::vector<std::string>& names, const Endpoints& last) {
    std::erase_if(names_, [&](const auto& item) { return std::ranges::find(names, item.first) == names.end(); });
    for (const auto& name : names) {
        const auto [item, is_new] = names_.try_emplace(name);
        const auto known = last.find(name);
        if (!is_new || known == last.end()) continue;
        for (const auto& address : known->second)
            item->second.entries[index(address.family())].addresses.push_back(address);
        for (auto& entry : item->second.entries) std::ranges::sort(entry.addresses);
    }
}

std::vector<Question> NameBook::questions(Time now) {
    std::vector<Question> questions;
    for (auto& [name, known] : names_)
        for (const auto family : {Family::ipv4, Family::ipv6}) {
            auto& entry = known.entries[index(family)];
            if (entry.asked || entry.next > now) continue;
            entry.asked = true;
            questions.push_back({name, family});
        }
    return questions;
}

void NameBook::accept(const Question& question, std::vector<Address> addresses, Time now) {
    const auto& name = question.name;
    auto& known = names_.at(name);
    auto& entry = known.entries[index(question.family)];
    std::ranges::sort(addresses);
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    const auto fresh = minus(addresses, entry.addresses);
    const auto lost = minus(entry.addresses, addresses);
    for (const auto& address : addresses) entry.leaving.erase(address);
    for (const auto& address : lost) entry.leaving[address] = now + limits_.grace;
    if (!fresh.empty()) messages_.push_back({false, fmt::format("{} is {} now", name, joined(addresses))});
    if (!lost.empty())
        messages_.push_back(
            {false, fmt::format("{} is no longer {}, which stays on the white list for {} s", name, joined(lost),
                                std::chrono::ceil<std::chrono::seconds>(limits_.grace).count())});
    entry.addresses = std::move(addresses);
    entry.failures = 0;
    const bool well = std::ranges::all_of(known.entries, [](const Entry& item) { return item.failures == 0; });
    if (!known.failure.empty() && well) {
        messages_.push_back({false, name + " resolves again"});
        known.failure.clear();
    }
}

void NameBook::fail(const Question& question, const std::string& cause, Time now) {
    auto& known = names_.at(question.name);
    auto& entry = known.entries[index(question.family)];
    if (known.failure.empty()) {
        const bool empty = std::ranges::all_of(known.entries, [](const Entry& item) { return item.addresses.empty(); });
        messages_.push_back({true, fmt::format("{} does not resolve ({}): {}", question.name, cause,
                                               empty ? "it is not on the white list yet"
                                                     : "the white list keeps the addresses it had last")});
    }
    known.failure = cause;
    ++entry.failures;
    entry.failed = now;
    entry.resolves = false;
    const auto doublings = std::min(entry.failures - 1, 16U);
    entry.next = now + std::min(limits_.first_retry * (1 << doublings), limits_.last_retry);
}

void NameBook::answer(const Question& question, const NameAnswer& answer, Time now) {
    const auto found = names_.find(question.name);
    if (found == names_.end()) return;
    auto& entry = found->second.entries[index(question.family)];
    auto& other = found->second.entries[1 - index(question.family)];
    entry.asked = false;
    switch (answer.kind) {
    case NameAnswer::Kind::addresses:
        entry.resolves = true;
        // What one family needed, the other needs no longer wait for.
        if (other.failures != 0) other.next = std::min(other.next, now);
        accept(question, answer.addresses, now);
        entry.next = now + (answer.ttl == std::chrono::seconds(0)
                                ? limits_.of_zero
                                : std::clamp<Duration>(answer.ttl, limits_.shortest, limits_.longest));
        return;
    case NameAnswer::Kind::none:
        // Of a name that has no addresses at all, those it had are better than none.
        if (!entry.addresses.empty() && !other.resolves) break;
        entry.resolves = false;
        accept(question, {}, now);
        entry.next = now + limits_.of_none;
        return;
    case NameAnswer::Kind::failure: break;
    }
    fail(question, answer.kind == NameAnswer::Kind::none ? "it has no addresses" : answer.cause, now);
}

void NameBook::network_changed() {
    for (auto& [name, known] : names_)
        for (auto& entry : known.entries)
            if (entry.failures != 0) entry.next = std::min(entry.next, entry.failed + limits_.first_retry);
}

Endpoints NameBook::endpoints(Time now) {
    Endpoints endpoints;
    for (auto& [name, known] : names_) {
        std::vector<Address> all;
        for (auto& entry : known.entries) {
            std::erase_if(entry.leaving, [&](const auto& item) { return item.second <= now; });
            all.insert(all.end(), entry.addresses.begin(), entry.addresses.end());
            for (const auto& [address, until] : entry.leaving) all.push_back(address);
        }
        std::ranges::sort(all);
        if (!all.empty()) endpoints.emplace(name, std::move(all));
    }
    return endpoints;
}

std::vector<NameBook::State> NameBook::states(Time now) {
    const auto all = endpoints(now);
    std::vector<State> states;
    for (const auto& [name, known] : names_) {
        const auto found = all.find(name);
        states.push_back({name, found == all.end() ? std::vector<Address>{} : found->second, known.failure});
    }
    return states;
}

NameBook::Time NameBook::due() const {
    auto due = Time::max();
    for (const auto& [name, known] : names_)
        for (const auto& entry : known.entries) {
            if (!entry.asked) due = std::min(due, entry.next);
            for (const auto& [address, until] : entry.leaving) due = std::min(due, until);
        }
    return due;
}

std::vector<NameBook::Message> NameBook::messages() { return std::exchange(messages_, {}); }

} // namespace natctl
