// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fake_table.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <set>

#include "nftctl/plan/verdict_data.h"

namespace natctl::test {

using namespace nft;

namespace {

bool has_overlap(const Element& left, const Element& right, const SetSpec& spec) {
    std::size_t offset = 0;
    for (const Datatype type : spec.key) {
        const std::size_t size = spec.key.size() == 1 ? datatype_size(type) : (datatype_size(type) + 3) / 4 * 4;
        const auto part = [&](BytesView bytes) { return bytes.span().subspan(offset, size); };
        if (std::ranges::lexicographical_compare(part(left.last()), part(right.first())) ||
            std::ranges::lexicographical_compare(part(right.last()), part(left.first())))
            return false;
        offset += size;
    }
    return true;
}

class Applying {
public:
    explicit Applying(std::optional<Table>& table) : table_(table) {}

    int operator()(const AddTable& change) {
        if (table_) return change.ownable && !table_->ownable ? EOPNOTSUPP : 0;
        table_.emplace().ownable = change.ownable;
        return 0;
    }

    int operator()(const DeleteTable&) {
        if (!table_) return ENOENT;
        table_.reset();
        return 0;
    }

    int operator()(const AddSet& change) {
        if (!table_) return ENOENT;
        if (table_->find_set(change.spec.name) != nullptr) return EEXIST;
        table_->sets.push_back({change.spec, {}});
        return 0;
    }

    int operator()(const AddHelper& change) {
        if (!table_) return ENOENT;
        if (find_helper(change.helper.name)) return EEXIST;
        table_->helpers.push_back(change.helper);
        return 0;
    }

    int operator()(const AddElements& change) {
        Set* const set = find_set(change.set.name);
        if (set == nullptr) return ENOENT;
        auto& elements = set->elements.edit();
        for (const Element& element : change.elements) {
            // Anything that overlaps lies next to it, but for concatenations, whose parts do so one by one.
            const bool ordered = set->spec.key.size() == 1;
            const auto place = std::ranges::lower_bound(elements, element);
            // What is there already keeps its lifetime (in kernels before 6.12).
            if (place != elements.end() && *place == element) continue;
            const auto first = !ordered ? elements.begin() : place == elements.begin() ? place : place - 1;
            const auto last = !ordered || place == elements.end() ? elements.end() : place + 1;
            if (std::any_of(first, last, [&](const Element& other) { return has_overlap(element, other, set->spec); }))
                return EEXIST;
            if (const auto verdict = verdict_in(*set, element))
                if (const int error = check(*verdict)) return error;
            elements.insert(place, element);
            if (const auto lifetime = change.lifetimes.find(element.first()); lifetime != change.lifetimes.end())
                set->lifetimes.insert(*lifetime);
            if (set->spec.size != 0 && elements.size() > set->spec.size) return ENFILE;
        }
        return 0;
    }

    int operator()(const DeleteElements& change) {
        Set* const set = find_set(change.set.name);
        if (set == nullptr) return ENOENT;
        auto& elements = set->elements.edit();
        for (const Element& element : change.elements) {
            // Without data it stands before all with the same key.
            const auto found = std::ranges::lower_bound(elements, element.without_data());
            if (found == elements.end() || found->first() != element.first() || found->last() != element.last())
                return ENOENT;
            elements.erase(found);
            if (const auto lifetime = set->lifetimes.find(element.first()); lifetime != set->lifetimes.end())
                set->lifetimes.erase(lifetime);
        }
        return 0;
    }

    int operator()(const AddChain& change) {
        if (!table_) return ENOENT;
        if (table_->find_chain(change.name) != nullptr) return EEXIST;
        table_->chains.edit().push_back({change.name, change.hook, {}});
        return 0;
    }

    int operator()(const FlushChain& change) {
        Chain* const chain = find_chain(change.name);
        if (chain == nullptr) return ENOENT;
        chain->rules.clear();
        return 0;
    }

    int operator()(const DeleteChain& change) {
        if (!table_) return ENOENT;
        auto& chains = table_->chains.edit();
        const auto chain = std::ranges::find(chains, change.name, &Chain::name);
        if (chain == chains.end()) return ENOENT;
        chain->rules.clear();
        if (is_led_to(change.name)) return EBUSY;
        chains.erase(chain);
        return 0;
    }

    int operator()(const AddRule& change) {
        Chain* const chain = find_chain(change.chain);
        if (chain == nullptr) return ENOENT;
        for (const Statement& statement : change.rule.statements)
            if (const int error = std::visit([this](const auto& value) { return check(value); }, statement))
                return error;
        chain->rules.push_back(change.rule);
        return leads_back(change.chain) ? EMLINK : 0;
    }

private:
    Set* find_set(const std::string& name) { return table_ ? const_cast<Set*>(table_->find_set(name)) : nullptr; }
    Chain* find_chain(const std::string& name) {
        if (!table_) return nullptr;
        auto& chains = table_->chains.edit();
        const auto found = std::ranges::find(chains, name, &Chain::name);
        return found == chains.end() ? nullptr : &*found;
    }

    bool find_helper(const std::string& name) const {
        return std::ranges::find(table_->helpers, name, &HelperObject::name) != table_->helpers.end();
    }

    int check(const SetHelper& helper) { return find_helper(helper.name) ? 0 : ENOENT; }
    int check(const Lookup& lookup) { return find_set(lookup.set) == nullptr ? ENOENT : 0; }

    int check(const NatMap& nat) {
        const Set* const map = find_set(nat.map);
        if (map == nullptr) return ENOENT;
        return map->spec.data ? 0 : EINVAL;
    }

    int check(const Verdict& verdict) {
        if (verdict.chain.empty()) return 0;
        const Chain* const chain = find_chain(verdict.chain);
        if (chain == nullptr) return ENOENT;
        return chain->hook ? EOPNOTSUPP : 0;
    }

    int check(const VerdictMap& use) {
        const Set* const map = find_set(use.map);
        if (map == nullptr) return ENOENT;
        return map->spec.data == Datatype::verdict ? 0 : EINVAL;
    }

    int check(const Unknown&) {
        assert(false && "only what is ours can be written");
        return EINVAL;
    }

    template <class Other>
    int check(const Other&) {
        return 0;
    }

    static std::optional<Verdict> verdict_in(const Set& set, const Element& element) {
        return set.spec.data == Datatype::verdict ? verdict_of(element.data()) : std::nullopt;
    }

    /// The chains that the map's elements lead to.
    static std::set<std::string> targets(const Set& map) {
        std::set<std::string> chains;
        for (const Element& element : map.elements)
            if (const auto verdict = verdict_in(map, element); verdict && !verdict->chain.empty())
                chains.insert(verdict->chain);
        return chains;
    }

    /// The chains that the rules of this one lead to.
    std::set<std::string> targets(const Chain& chain) {
        std::set<std::string> chains;
        for (const Rule& rule : chain.rules)
            for (const Statement& statement : rule.statements) {
                if (const auto* verdict = std::get_if<Verdict>(&statement); verdict && !verdict->chain.empty())
                    chains.insert(verdict->chain);
                if (const auto* use = std::get_if<VerdictMap>(&statement)) chains.merge(targets(*find_set(use->map)));
            }
        return chains;
    }

    bool is_led_to(const std::string& name) {
        return std::ranges::any_of(table_->sets, [&](const Set& set) { return targets(set).contains(name); }) ||
               std::ranges::any_of(table_->chains, [&](const Chain& chain) { return targets(chain).contains(name); });
    }

    bool leads_back(const std::string& start) {
        std::set<std::string> seen;
        std::vector<std::string> next{start};
        while (!next.empty()) {
            const auto chains = targets(*find_chain(next.back()));
            next.pop_back();
            if (chains.contains(start)) return true;
            for (const auto& chain : chains)
                if (seen.insert(chain).second) next.push_back(chain);
        }
        return false;
    }

    std::optional<Table>& table_;
};

} // namespace

int apply_change(std::optional<Table>& table, const Change& change) { return std::visit(Applying(table), change); }

} // namespace natctl::test
