// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/plan/elements.h"
#include "nftctl/plan/rule.h"

namespace natctl::nft {

/// Types of set keys and map data, with nft's names.
enum class Datatype : std::uint8_t {
    ipv4_addr,
    ipv6_addr,
    ifname,
    inet_proto,
    /// Only as the data of a map: verdict_data().
    verdict,
};

/// Bytes one value takes in the kernel: 4, 16, 16, 1 (in the key of a concatenation rounded up to 4), 16.
unsigned datatype_size(Datatype type);

/// How long elements live, by their first key, each more than 0; those without an entry for ever.
using Lifetimes = std::map<Bytes, std::chrono::milliseconds, std::less<>>;

/// What a set or map is; the elements come and go.
struct SetSpec {
    std::string name;
    /// More than one: a concatenation.
    std::vector<Datatype> key;
    /// Given: a map.
    std::optional<Datatype> data = {};
    bool interval = false;
    /// Map data are ranges (`: interval ipv4_addr`).
    bool data_interval = false;
    /// A hard cap in the kernel (ENFILE beyond it); 0: none. Speeds up filling hash maps by 2 to 3 times.
    std::uint32_t size = 0;
    /// Elements may have a lifetime, after which the kernel removes them (`flags timeout`).
    bool timeout = false;

    bool operator==(const SetSpec&) const = default;
};

struct Set {
    SetSpec spec;
    /// Sorted, not overlapping.
    Elements elements;
    /// Only where spec.timeout. They pass by themselves, so sets that differ in them alone are equal.
    Lifetimes lifetimes = {};

    bool operator==(const Set& other) const { return spec == other.spec && elements == other.elements; }
};

enum class ChainType : std::uint8_t { filter, nat, route };
enum class HookPoint : std::uint8_t { prerouting, input, forward, output, postrouting };

/// Makes a base chain. Policy is always accept.
struct Hook {
    ChainType type;
    HookPoint point;
    int priority;
    bool operator==(const Hook&) const = default;
};

struct Chain {
    std::string name;
    std::optional<Hook> hook;
    std::vector<Rule> rules;

    bool operator==(const Chain&) const = default;
};

/// `ct helper NAME { type "HELPER" protocol tcp|udp; }`
struct HelperObject {
    std::string name;
    /// As the kernel knows it: "ftp", "sip".
    std::string helper;
    std::uint8_t protocol = 6;

    bool operator==(const HelperObject&) const = default;
};

/// The table `inet natctl`.
struct Table {
    /// In order of creation. What refers to a chain or set by name may stand before it in the list.
    std::vector<Set> sets;
    SharedList<Chain> chains;
    std::vector<HelperObject> helpers = {};
    /// May be owned by a socket, as that of an agent, and stays when that is closed (NFT_TABLE_F_PERSIST, Linux 6.9).
    /// Nobody but the owner can change it meanwhile.
    bool ownable = false;

    const Set* find_set(const std::string& name) const;
    const Chain* find_chain(const std::string& name) const;
    /// Chains may stand in any order: those that come later stand last in the kernel.
    bool operator==(const Table& other) const;
};

inline constexpr const char* table_name = "natctl";

} // namespace natctl::nft
