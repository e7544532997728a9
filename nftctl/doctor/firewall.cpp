// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/doctor/firewall.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace natctl::firewall {

namespace {

/// Bytes of which some are known.
struct Value {
    Octets bytes;
    std::vector<bool> known;

    explicit Value(std::size_t size) : bytes(size), known(size) {}
    bool is_known() const { return std::ranges::find(known, false) == known.end(); }
    void put(std::size_t offset, std::span<const std::uint8_t> data) {
        for (std::size_t i = 0; i < data.size() && offset + i < bytes.size(); ++i) {
            bytes[offset + i] = data[i];
            known[offset + i] = true;
        }
    }
    /// In the order of this machine, as the kernel keeps numbers of its own.
    template <class Number>
    void put_number(std::size_t offset, Number number) {
        std::array<std::uint8_t, sizeof number> data{};
        std::memcpy(data.data(), &number, sizeof number);
        put(offset, data);
    }
    /// In network order.
    void put_port(std::size_t offset, std::uint16_t port) {
        put(offset, std::array{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)});
    }
    void put_name(const std::string& name) {
        std::fill(known.begin(), known.end(), true);
        put(0, std::span(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()));
    }
};

Value network_header(const Packet& packet) {
    const bool ipv4 = packet.family == Family::ipv4;
    Value header(ipv4 ? 20 : 40);
    if (ipv4) header.put(0, std::array<std::uint8_t, 1>{0x45});
    header.put(ipv4 ? 9 : 6, std::array{packet.protocol});
    if (packet.source) header.put(ipv4 ? 12 : 8, packet.source->bytes());
    if (packet.destination) header.put(ipv4 ? 16 : 24, packet.destination->bytes());
    return header;
}

Value transport_header(const Packet& packet) {
    constexpr std::uint8_t tcp = 6;
    constexpr std::uint8_t syn = 2;
    Value header(20);
    if (packet.destination_port) header.put_port(2, *packet.destination_port);
    if (packet.protocol == tcp) header.put(13, std::array{syn});
    return header;
}

Value load(const Load& load, const Packet& packet) {
    Value value(load.length);
    const auto slice = [&](const Value& header) {
        for (std::size_t i = 0; i < load.length && load.offset + i < header.bytes.size(); ++i) {
            value.bytes[i] = header.bytes[load.offset + i];
            value.known[i] = header.known[load.offset + i];
        }
    };
    switch (load.source) {
    case Source::iifname:
        if (packet.iif) value.put_name(*packet.iif);
        break;
    case Source::oifname:
        if (packet.oif) value.put_name(*packet.oif);
        break;
    case Source::iif:
        if (packet.iif_index) value.put_number(0, *packet.iif_index);
        break;
    case Source::oif:
        if (packet.oif_index) value.put_number(0, *packet.oif_index);
        break;
    // linux/netfilter.h: NFPROTO_IPV4 and NFPROTO_IPV6
    case Source::nfproto: value.put_number<std::uint8_t>(0, packet.family == Family::ipv4 ? 2 : 10); break;
    case Source::l4proto: value.put_number(0, packet.protocol); break;
    case Source::protocol: value.put_port(0, packet.family == Family::ipv4 ? 0x0800 : 0x86dd); break;
    case Source::mark:
        if (packet.mark) value.put_number(0, *packet.mark);
        break;
    case Source::ct_state: value.put_number(0, packet.ct_state); break;
    case Source::network_header: slice(network_header(packet)); break;
    case Source::transport_header: slice(transport_header(packet)); break;
    case Source::ct_mark:
    case Source::ct_status:
    case Source::other: break;
    }
    return value;
}

class Registers {
public:
    Value read(unsigned from, std::size_t size) const {
        Value value(size);
        for (std::size_t i = 0; i < size && from + i < size_; ++i) {
            value.bytes[i] = bytes_[from + i];
            value.known[i] = known_[from + i];
        }
        return value;
    }
    void write(unsigned to, const Value& value) {
        for (std::size_t i = 0; i < value.bytes.size() && to + i < size_; ++i) {
            bytes_[to + i] = value.bytes[i];
            known_[to + i] = value.known[i];
        }
    }
    void forget() { known_.fill(false); }

private:
    static constexpr std::size_t size_ = 64;
    std::array<std::uint8_t, size_> bytes_{};
    std::array<bool, size_> known_{};
};

Value computed(const Bitwise& bitwise, const Registers& registers) {
    Value value = registers.read(bitwise.from, bitwise.mask.size());
    for (std::size_t i = 0; i < value.bytes.size(); ++i) {
        // Masked away: known to be 0 whatever it was.
        if (bitwise.mask[i] == 0) value.known[i] = true;
        value.bytes[i] = static_cast<std::uint8_t>((value.bytes[i] & bitwise.mask[i]) ^
                                                   (i < bitwise.flip.size() ? bitwise.flip[i] : 0));
    }
    return value;
}

enum class Truth : std::uint8_t { no, maybe, yes };

Truth truth(bool holds) { return holds ? Truth::yes : Truth::no; }

Truth holds(const Compare& compare, const Registers& registers) {
    const Value value = registers.read(compare.from, compare.data.size());
    if (!value.is_known()) return Truth::maybe;
    const int order = std::memcmp(value.bytes.data(), compare.data.data(), compare.data.size());
    switch (compare.relation) {
    case Relation::eq: return truth(order == 0);
    case Relation::ne: return truth(order != 0);
    case Relation::lt: return truth(order < 0);
    case Relation::le: return truth(order <= 0);
    case Relation::gt: return truth(order > 0);
    case Relation::ge: return truth(order >= 0);
    }
    return Truth::maybe;
}

Truth holds(const Range& range, const Registers& registers) {
    const Value value = registers.read(range.from, range.first.size());
    if (!value.is_known()) return Truth::maybe;
    return truth((value.bytes >= range.first && value.bytes <= range.last) != range.inverted);
}

bool matches(const Set& set, const Element& element, const Octets& key) {
    if (!set.interval) return key == element.key;
    return key >= element.key && (element.end.empty() || key < element.end);
}

struct Match {
    Truth truth = Truth::yes;
    /// More than one: any of them, or none.
    std::vector<Verdict> verdicts = {};
    bool translates = false;
};

/// Of one rule.
class Interpreter {
public:
    Interpreter(const Table& table, const Packet& packet) : table_(table), packet_(packet) {}

    Match run(const Rule& rule) {
        for (const Expression& expression : rule.expressions) {
            std::visit(*this, expression);
            if (match_.truth == Truth::no) break;
        }
        return std::move(match_);
    }

    void operator()(const Load& load) { registers_.write(load.to, firewall::load(load, packet_)); }
    void operator()(const Bitwise& bitwise) { registers_.write(bitwise.to, computed(bitwise, registers_)); }
    void operator()(const Compare& compare) { restrict(holds(compare, registers_)); }
    void operator()(const Range& range) { restrict(holds(range, registers_)); }
    void operator()(const Immediate& immediate) {
        Value value(immediate.data.size());
        value.put(0, immediate.data);
        registers_.write(immediate.to, value);
    }
    void operator()(const Lookup& lookup) {
        const Set* const set = table_.find_set(lookup.set);
        if (set == nullptr || !set->known) return undecided(lookup, set);
        const std::size_t size = set->elements.empty() ? 0 : set->elements.front().key.size();
        const Value key = registers_.read(lookup.from, size);
        if (!key.is_known()) return undecided(lookup, set);
        const auto found = std::ranges::find_if(
            set->elements, [&](const Element& element) { return matches(*set, element, key.bytes); });
        restrict(truth((found != set->elements.end()) != lookup.inverted));
        if (found == set->elements.end()) return;
        if (lookup.verdict && found->verdict) match_.verdicts = {*found->verdict};
        if (lookup.to) {
            Value value(found->data.size());
            value.put(0, found->data);
            registers_.write(*lookup.to, value);
        }
    }
    void operator()(const SetMark&) {}
    void operator()(const Verdict& verdict) { match_.verdicts = {verdict}; }
    void operator()(const Translate&) { match_.translates = true; }
    void operator()(const Unknown&) {
        registers_.forget();
        restrict(Truth::maybe);
    }

private:
    void restrict(Truth truth) { match_.truth = std::min(match_.truth, truth); }
    void undecided(const Lookup& lookup, const Set* set) {
        registers_.forget();
        restrict(Truth::maybe);
        if (!lookup.verdict || set == nullptr) return;
        for (const Element& element : set->elements)
            if (element.verdict) match_.verdicts.push_back(*element.verdict);
    }

    const Table& table_;
    const Packet& packet_;
    Registers registers_;
    Match match_;
};

/// Of one base chain and what it calls.
class Walk {
public:
    Walk(const Table& table, const Packet& packet) : table_(table), packet_(packet) {}

    Outcome follow(const Chain& base) {
        const bool ended = walk(base, true, 0);
        if (!ended && base.drops_by_policy)
            outcome_ = {may_pass_ ? Fate::may_be_dropped : Fate::dropped, base.name, std::nullopt};
        return outcome_;
    }

private:
    /// The kernel's own limit of jumps (NFT_JUMP_STACK_SIZE).
    static constexpr unsigned deepest = 16;

    void note(Fate fate, const Chain& chain, const Rule& rule) {
        if (fate > outcome_.fate) outcome_ = {fate, chain.name, rule.handle};
    }

    /// True: the packet's fate is decided.
    bool walk(const Chain& chain, bool certain, unsigned depth) {
        if (depth > deepest) return false;
        for (const Rule& rule : chain.rules) {
            const Match match = Interpreter(table_, packet_).run(rule);
            if (match.truth == Truth::no) continue;
            const bool sure = certain && match.truth == Truth::yes && match.verdicts.size() <= 1;
            if (match.translates) {
                note(sure ? Fate::translated : Fate::may_be_translated, chain, rule);
                if (sure) return true;
            }
            for (const Verdict& verdict : match.verdicts) {
                const Step step = take(verdict, chain, rule, sure, depth);
                if (step == Step::decided) return true;
                if (step == Step::leave) return false;
            }
        }
        return false;
    }

    enum class Step : std::uint8_t { on, leave, decided };

    Step take(const Verdict& verdict, const Chain& chain, const Rule& rule, bool sure, unsigned depth) {
        switch (verdict.kind) {
        case VerdictKind::accept: may_pass_ = true; return sure ? Step::decided : Step::on;
        case VerdictKind::drop:
            note(sure ? Fate::dropped : Fate::may_be_dropped, chain, rule);
            return sure ? Step::decided : Step::on;
        case VerdictKind::return_: return sure ? Step::leave : Step::on;
        case VerdictKind::jump:
        case VerdictKind::go: {
            const Chain* const target = table_.find_chain(verdict.chain);
            if (target == nullptr) return Step::on;
            if (walk(*target, sure, depth + 1)) return Step::decided;
            return sure && verdict.kind == VerdictKind::go ? Step::leave : Step::on;
        }
        }
        return Step::on;
    }

    const Table& table_;
    const Packet& packet_;
    bool may_pass_ = false;
    Outcome outcome_;
};

std::uint32_t number_of(const Value& value) {
    std::uint32_t number = 0;
    std::memcpy(&number, value.bytes.data(), std::min(value.bytes.size(), sizeof number));
    return number;
}

} // namespace

const char* text(TableFamily family) {
    switch (family) {
    case TableFamily::ip: return "ip";
    case TableFamily::ip6: return "ip6";
    case TableFamily::inet: return "inet";
    }
    return "";
}

const Chain* Table::find_chain(const std::string& wanted) const {
    const auto found = std::ranges::find(chains, wanted, &Chain::name);
    return found == chains.end() ? nullptr : &*found;
}

const Set* Table::find_set(const std::string& wanted) const {
    const auto found = std::ranges::find(sets, wanted, &Set::name);
    return found == sets.end() ? nullptr : &*found;
}

bool Table::sees(Family packet) const {
    return family == TableFamily::inet || (family == TableFamily::ip) == (packet == Family::ipv4);
}

Outcome follow(const Table& table, const Chain& chain, const Packet& packet) {
    return Walk(table, packet).follow(chain);
}

bool changes_mark(const Rule& rule, std::uint32_t mask) {
    // With all bits of the mask clear before, and with all of them set.
    for (const std::uint32_t before : {std::uint32_t{0}, mask}) {
        Registers registers;
        for (const Expression& expression : rule.expressions) {
            if (const auto* load = std::get_if<Load>(&expression)) {
                Value value(load->length);
                if (load->source == Source::mark || load->source == Source::ct_mark) value.put_number(0, before);
                registers.write(load->to, value);
            } else if (const auto* bitwise = std::get_if<Bitwise>(&expression)) {
                registers.write(bitwise->to, computed(*bitwise, registers));
            } else if (const auto* immediate = std::get_if<Immediate>(&expression)) {
                Value value(immediate->data.size());
                value.put(0, immediate->data);
                registers.write(immediate->to, value);
            } else if (const auto* mark = std::get_if<SetMark>(&expression)) {
                const Value value = registers.read(mark->from, sizeof(std::uint32_t));
                if (value.is_known() && (number_of(value) & mask) != before) return true;
            } else if (std::holds_alternative<Unknown>(expression)) {
                registers.forget();
            }
        }
    }
    return false;
}

} // namespace natctl::firewall
