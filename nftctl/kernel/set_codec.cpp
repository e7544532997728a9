// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/set_codec.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nftctl/kernel/expression.h"
#include "nftctl/plan/verdict_data.h"

namespace natctl::nft {

namespace {

// The kernel keeps type numbers for nft without a meaning of its own (nftables, include/datatype.h, enum datatypes).
struct TypeRow {
    Datatype type;
    std::uint32_t number;
    std::uint32_t byte_order;
};
// nftables, enum byteorder
constexpr std::uint32_t order_mixed = 0;
constexpr std::uint32_t order_host = 1;
constexpr std::uint32_t order_network = 2;

constexpr std::array type_rows{
    TypeRow{Datatype::ipv4_addr, 7, order_network},
    TypeRow{Datatype::ipv6_addr, 8, order_network},
    TypeRow{Datatype::inet_proto, 12, order_network},
    TypeRow{Datatype::ifname, 41, order_host},
    TypeRow{Datatype::verdict, NFT_DATA_VERDICT, order_mixed},
};
/// Bits of one part in the type number of a concatenation.
constexpr unsigned type_bits = 6;

const TypeRow& row_of(Datatype type) {
    const auto* const found = std::ranges::find(type_rows, type, &TypeRow::type);
    assert(found != type_rows.end());
    return *found;
}

unsigned padded_size(Datatype type) { return (datatype_size(type) + 3) / 4 * 4; }

unsigned key_size(const SetSpec& spec) {
    if (spec.key.size() == 1) return datatype_size(spec.key.front());
    unsigned size = 0;
    for (const Datatype part : spec.key) size += padded_size(part);
    return size;
}

unsigned data_size(const SetSpec& spec) {
    if (!spec.data) return 0;
    return datatype_size(*spec.data) * (spec.data_interval ? 2 : 1);
}

bool is_concatenated_interval(const SetSpec& spec) { return spec.interval && spec.key.size() > 1; }

std::uint32_t flags_of(const SetSpec& spec) {
    std::uint32_t flags = 0;
    if (spec.interval) flags |= NFT_SET_INTERVAL;
    if (is_concatenated_interval(spec)) flags |= NFT_SET_CONCAT;
    if (spec.data) flags |= NFT_SET_MAP;
    if (spec.timeout) flags |= NFT_SET_TIMEOUT;
    return flags;
}

std::uint32_t key_number(const SetSpec& spec) {
    std::uint32_t number = 0;
    for (const Datatype part : spec.key) number = number << type_bits | row_of(part).number;
    return number;
}

/// How nft prints keys and data; without it IPv4 addresses are listed backwards.
void put_userdata(nftnl_set& set, const SetSpec& spec) {
    const NftnlUdataPtr userdata(allocated(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN)));
    const std::uint32_t order = spec.key.size() == 1 ? row_of(spec.key.front()).byte_order : order_mixed;
    nftnl_udata_put_u32(userdata.get(), NFTNL_UDATA_SET_KEYBYTEORDER, order);
    if (spec.data) {
        nftnl_udata_put_u32(userdata.get(), NFTNL_UDATA_SET_DATABYTEORDER, row_of(*spec.data).byte_order);
        nftnl_udata_put_u32(userdata.get(), NFTNL_UDATA_SET_DATA_INTERVAL, spec.data_interval ? 1 : 0);
    }
    nftnl_set_set_data(&set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(userdata.get()),
                       nftnl_udata_buf_len(userdata.get()));
}

/// The next or previous number; nullopt past the end.
std::optional<Bytes> neighbour(BytesView key, bool up) {
    std::vector<std::uint8_t> digits(key.span().begin(), key.span().end());
    for (std::size_t index = key.size(); index-- > 0;) {
        digits[index] = static_cast<std::uint8_t>(digits[index] + (up ? 1 : -1));
        if (digits[index] != (up ? 0x00 : 0xff)) return Bytes(std::span<const std::uint8_t>(digits));
    }
    return std::nullopt;
}

void put(nftnl_set_elem& element, std::uint16_t attribute, BytesView bytes) {
    nftnl_set_elem_set(&element, attribute, bytes.span().data(), static_cast<std::uint32_t>(bytes.size()));
}

NftnlSetElemPtr make_element(BytesView key) {
    NftnlSetElemPtr element(allocated(nftnl_set_elem_alloc()));
    put(*element, NFTNL_SET_ELEM_KEY, key);
    return element;
}

/// Tells nft that this interval has no end because there is no higher key.
void mark_open(nftnl_set_elem& element) {
    const NftnlUdataPtr userdata(allocated(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN)));
    nftnl_udata_put_u32(userdata.get(), NFTNL_UDATA_SET_ELEM_FLAGS, NFTNL_SET_ELEM_F_INTERVAL_OPEN);
    nftnl_set_elem_set(&element, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(userdata.get()),
                       nftnl_udata_buf_len(userdata.get()));
}

Bytes get(nftnl_set_elem* element, std::uint16_t attribute) {
    std::uint32_t size = 0;
    const auto* data = static_cast<const std::uint8_t*>(nftnl_set_elem_get(element, attribute, &size));
    if (data == nullptr) return {};
    return Bytes(std::span(data, std::min<std::uint32_t>(size, Bytes::capacity)));
}

/// What is left where the kernel says it, else the whole; nullopt: for ever.
std::optional<std::chrono::milliseconds> lifetime_of(nftnl_set_elem* element) {
    const bool timed = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_TIMEOUT) &&
                       nftnl_set_elem_get_u64(element, NFTNL_SET_ELEM_TIMEOUT) != 0;
    if (!timed) return std::nullopt;
    const bool passing = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_EXPIRATION);
    const auto left = nftnl_set_elem_get_u64(element, passing ? NFTNL_SET_ELEM_EXPIRATION : NFTNL_SET_ELEM_TIMEOUT);
    // In the last jiffy it is 0, which stands for ever elsewhere.
    return std::chrono::milliseconds(std::max<std::uint64_t>(left, 1));
}

void put_data(nftnl_set_elem& element, const SetSpec& spec, BytesView data) {
    const auto verdict = spec.data == Datatype::verdict ? verdict_of(data) : std::nullopt;
    if (!verdict) {
        put(element, NFTNL_SET_ELEM_DATA, data);
        return;
    }
    nftnl_set_elem_set_u32(&element, NFTNL_SET_ELEM_VERDICT,
                           static_cast<std::uint32_t>(expression::verdict_code(verdict->kind)));
    if (!verdict->chain.empty()) nftnl_set_elem_set_str(&element, NFTNL_SET_ELEM_CHAIN, verdict->chain.c_str());
}

/// The element without its end. A verdict that none of ours can be makes data that equals no plan's.
Element read_element(nftnl_set_elem* element, const SetSpec& spec, BytesView key, BytesView last) {
    if (spec.data != Datatype::verdict) return {key, last, get(element, NFTNL_SET_ELEM_DATA)};
    if (!nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_VERDICT)) return {key, last};
    const auto code = static_cast<int>(nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_VERDICT));
    const auto kind = expression::verdict_kind(code);
    if (!kind) return {key, last};
    const bool leads = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_CHAIN);
    return {key, last,
            std::span<const std::uint8_t>(
                verdict_data({*kind, leads ? nftnl_set_elem_get_str(element, NFTNL_SET_ELEM_CHAIN) : ""}))};
}

} // namespace

NftnlSetPtr to_nftnl(const SetSpec& spec) {
    NftnlSetPtr set(allocated(nftnl_set_alloc()));
    nftnl_set_set_u32(set.get(), NFTNL_SET_FAMILY, NFPROTO_INET);
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table_name);
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, spec.name.c_str());
    nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, flags_of(spec));
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, key_number(spec));
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, key_size(spec));
    if (spec.data) {
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, row_of(*spec.data).number);
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, data_size(spec));
    }
    if (spec.size != 0) nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, spec.size);
    if (is_concatenated_interval(spec)) {
        std::vector<std::uint8_t> lengths;
        for (const Datatype part : spec.key) lengths.push_back(static_cast<std::uint8_t>(datatype_size(part)));
        nftnl_set_set_data(set.get(), NFTNL_SET_DESC_CONCAT, lengths.data(),
                           static_cast<std::uint32_t>(lengths.size()));
    }
    put_userdata(*set, spec);
    return set;
}

SetSpec from_nftnl(const nftnl_set& set) {
    SetSpec spec{.name = nftnl_set_get_str(&set, NFTNL_SET_NAME), .key = {}};
    const std::uint32_t flags = nftnl_set_get_u32(&set, NFTNL_SET_FLAGS);
    spec.interval = (flags & NFT_SET_INTERVAL) != 0;
    spec.timeout = (flags & NFT_SET_TIMEOUT) != 0;
    spec.size = nftnl_set_is_set(&set, NFTNL_SET_DESC_SIZE) ? nftnl_set_get_u32(&set, NFTNL_SET_DESC_SIZE) : 0;
    constexpr std::uint32_t type_mask = (1U << type_bits) - 1;
    for (std::uint32_t number = nftnl_set_get_u32(&set, NFTNL_SET_KEY_TYPE); number != 0; number >>= type_bits) {
        const auto* const row = std::ranges::find(type_rows, number & type_mask, &TypeRow::number);
        if (row == type_rows.end()) return {.name = spec.name, .key = {}};
        spec.key.insert(spec.key.begin(), row->type);
    }
    if ((flags & NFT_SET_MAP) != 0) {
        const auto* const row =
            std::ranges::find(type_rows, nftnl_set_get_u32(&set, NFTNL_SET_DATA_TYPE), &TypeRow::number);
        if (row == type_rows.end()) return {.name = spec.name, .key = {}};
        spec.data = row->type;
        spec.data_interval = nftnl_set_get_u32(&set, NFTNL_SET_DATA_LEN) == 2 * datatype_size(row->type);
    }
    const bool ours = flags == flags_of(spec) && nftnl_set_get_u32(&set, NFTNL_SET_KEY_LEN) == key_size(spec) &&
                      !nftnl_set_is_set(&set, NFTNL_SET_TIMEOUT) &&
                      (!spec.data || nftnl_set_get_u32(&set, NFTNL_SET_DATA_LEN) == data_size(spec)) &&
                      key_size(spec) <= Bytes::capacity && data_size(spec) <= Bytes::capacity;
    if (!ours) return {.name = spec.name, .key = {}};
    return spec;
}

void append(nftnl_set& set, const SetSpec& spec, const Element& element, ElementUse use,
            std::optional<std::chrono::milliseconds> lifetime) {
    NftnlSetElemPtr start = make_element(element.first());
    if (lifetime && use == ElementUse::add)
        nftnl_set_elem_set_u64(start.get(), NFTNL_SET_ELEM_TIMEOUT, static_cast<std::uint64_t>(lifetime->count()));
    if (spec.data && use == ElementUse::add) put_data(*start, spec, element.data());
    if (is_concatenated_interval(spec)) put(*start, NFTNL_SET_ELEM_KEY_END, element.last());
    if (!spec.interval || is_concatenated_interval(spec)) {
        nftnl_set_elem_add(&set, start.release());
        return;
    }
    const auto past = neighbour(element.last(), true);
    if (!past) mark_open(*start);
    nftnl_set_elem_add(&set, start.release());
    if (!past) return;
    NftnlSetElemPtr end = make_element(*past);
    nftnl_set_elem_set_u32(end.get(), NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    nftnl_set_elem_add(&set, end.release());
}

std::size_t elements_per_message(const SetSpec& spec) {
    constexpr std::size_t limit = 60000;
    constexpr std::size_t attribute = 4;
    // Each in a nested attribute; the element's own, its flags, and the user data of an open interval beside.
    const std::size_t key = 2 * attribute + (key_size(spec) + 3) / 4 * 4;
    constexpr std::size_t longest_name = 256;
    const std::size_t data = spec.data == Datatype::verdict ? 4 * attribute + 4 + longest_name
                                                            : 2 * attribute + (data_size(spec) + 3) / 4 * 4;
    const std::size_t timeout = spec.timeout ? attribute + sizeof(std::uint64_t) : 0;
    const std::size_t element = attribute + 2 * attribute + 4 * attribute + 2 * key + data + timeout;
    return limit / (spec.interval ? 2 * element : element);
}

void ElementReader::take(const nftnl_set& set) {
    const NftnlSetElemsIterPtr iterator(allocated(nftnl_set_elems_iter_create(&set)));
    while (nftnl_set_elem* element = nftnl_set_elems_iter_next(iterator.get())) {
        const Bytes key = get(element, NFTNL_SET_ELEM_KEY);
        if (spec_.timeout)
            if (const auto lifetime = lifetime_of(element)) lifetimes_[key] = *lifetime;
        if (is_concatenated_interval(spec_)) {
            const bool ranged = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_KEY_END);
            elements_.push_back(read_element(element, spec_, key, ranged ? get(element, NFTNL_SET_ELEM_KEY_END) : key));
        } else if (spec_.interval) {
            const bool flagged = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_FLAGS);
            const std::uint32_t flags = flagged ? nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS) : 0;
            bounds_.push_back({read_element(element, spec_, key, key), (flags & NFT_SET_ELEM_INTERVAL_END) != 0});
        } else {
            elements_.push_back(read_element(element, spec_, key, key));
        }
    }
}

std::vector<Element> ElementReader::finish() {
    // Where one interval ends and the next begins, the end comes first.
    std::ranges::sort(bounds_, [](const Bound& left, const Bound& right) {
        const auto order = left.element.first() <=> right.element.first();
        return order != 0 ? order < 0 : left.end && !right.end;
    });
    for (std::size_t index = 0; index < bounds_.size(); ++index) {
        const Bound& bound = bounds_[index];
        if (bound.end) continue;
        const BytesView first = bound.element.first();
        std::array<std::uint8_t, Bytes::capacity> top{};
        top.fill(0xff);
        Bytes last = Bytes(std::span<const std::uint8_t>(top).first(first.size()));
        if (index + 1 < bounds_.size()) last = neighbour(bounds_[index + 1].element.first(), false).value_or(last);
        elements_.emplace_back(first, last, bound.element.data());
    }
    std::ranges::sort(elements_);
    return std::move(elements_);
}

} // namespace natctl::nft
