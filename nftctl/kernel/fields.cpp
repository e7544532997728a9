// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/fields.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>

namespace natctl::nft {

namespace {

constexpr std::uint32_t none = FieldRow::none;
constexpr auto host = ByteOrder::host;
constexpr auto network = ByteOrder::network;

constexpr std::array rows{
    FieldRow{Field::iifname, Source::meta, NFT_META_IIFNAME, none, 16, ByteOrder::text},
    FieldRow{Field::oifname, Source::meta, NFT_META_OIFNAME, none, 16, ByteOrder::text},
    FieldRow{Field::ip_saddr, Source::network_header, 12, none, 4, network},
    FieldRow{Field::ip_daddr, Source::network_header, 16, none, 4, network},
    FieldRow{Field::ip6_saddr, Source::network_header, 8, none, 16, network},
    FieldRow{Field::ip6_daddr, Source::network_header, 24, none, 16, network},
    FieldRow{Field::nfproto, Source::meta, NFT_META_NFPROTO, none, 1, host},
    FieldRow{Field::l4proto, Source::meta, NFT_META_L4PROTO, none, 1, host},
    FieldRow{Field::mark, Source::meta, NFT_META_MARK, none, 4, host},
    FieldRow{Field::ct_mark, Source::ct, NFT_CT_MARK, none, 4, host},
    FieldRow{Field::ct_state, Source::ct, NFT_CT_STATE, none, 4, host},
    FieldRow{Field::ct_status, Source::ct, NFT_CT_STATUS, none, 4, host},
    FieldRow{Field::ct_direction, Source::ct, NFT_CT_DIRECTION, none, 1, host},
    FieldRow{Field::ct_original_ip_saddr, Source::ct, NFT_CT_SRC_IP, IP_CT_DIR_ORIGINAL, 4, network},
    FieldRow{Field::ct_original_ip_daddr, Source::ct, NFT_CT_DST_IP, IP_CT_DIR_ORIGINAL, 4, network},
    FieldRow{Field::ct_original_ip6_saddr, Source::ct, NFT_CT_SRC_IP6, IP_CT_DIR_ORIGINAL, 16, network},
    FieldRow{Field::ct_original_ip6_daddr, Source::ct, NFT_CT_DST_IP6, IP_CT_DIR_ORIGINAL, 16, network},
    FieldRow{Field::fib_daddr_oif, Source::fib, NFT_FIB_RESULT_OIF, NFTA_FIB_F_DADDR, 4, host},
    FieldRow{Field::fib_daddr_oif_present, Source::fib, NFT_FIB_RESULT_OIF, NFTA_FIB_F_DADDR | NFTA_FIB_F_PRESENT, 4,
             host},
    FieldRow{Field::fib_daddr_type, Source::fib, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR, 4, host},
    FieldRow{Field::fib_saddr_type, Source::fib, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_SADDR, 4, host},
    FieldRow{Field::socket_transparent, Source::socket, NFT_SOCKET_TRANSPARENT, none, 1, host},
    FieldRow{Field::socket_wildcard, Source::socket, NFT_SOCKET_WILDCARD, none, 1, host},
    FieldRow{Field::tcp_flags, Source::transport_header, 13, none, 1, network},
    FieldRow{Field::th_dport, Source::transport_header, 2, none, 2, network},
    FieldRow{Field::icmpv6_type, Source::transport_header, 0, none, 1, network},
    FieldRow{Field::skuid, Source::meta, NFT_META_SKUID, none, 4, host},
};

} // namespace

std::span<const FieldRow> field_rows() { return rows; }

const FieldRow& row_of(Field field) {
    const auto* const found = std::ranges::find(rows, field, &FieldRow::field);
    assert(found != rows.end());
    return *found;
}

std::uint8_t protocol_number(Family family) { return family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6; }

std::optional<Family> family_of(std::uint32_t protocol_number) {
    if (protocol_number == NFPROTO_IPV4) return Family::ipv4;
    if (protocol_number == NFPROTO_IPV6) return Family::ipv6;
    return std::nullopt;
}

} // namespace natctl::nft
