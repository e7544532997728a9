// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "nftctl/plan/rule.h"

namespace natctl::nft {

/// Which expression of the kernel loads a field.
enum class Source : std::uint8_t { meta, ct, network_header, transport_header, fib, socket };

enum class ByteOrder : std::uint8_t { host, network, text };

/// One row of the table that both directions use.
struct FieldRow {
    static constexpr std::uint32_t none = 0xffffffff;

    Field field;
    Source source;
    /// NFT_META_*, NFT_CT_*, NFT_SOCKET_* or NFT_FIB_RESULT_*; of a header the offset in bytes.
    std::uint32_t key;
    /// ct: IP_CT_DIR_*, or none. fib: NFTA_FIB_F_*.
    std::uint32_t detail;
    /// Bytes in the register, as nft compares them.
    std::uint8_t length;
    ByteOrder order;
};

const FieldRow& row_of(Field field);
std::span<const FieldRow> field_rows();

/// NFPROTO_*, as `meta nfproto` has it.
std::uint8_t protocol_number(Family family);
std::optional<Family> family_of(std::uint32_t protocol_number);

} // namespace natctl::nft
