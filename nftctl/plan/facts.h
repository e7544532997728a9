// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "nftctl/base/address.h"

namespace natctl {

/// An address of an interface with the length of its network: 192.168.1.1/24, host bits kept.
struct InterfaceAddress {
    Address address;
    unsigned length = 0;
    auto operator<=>(const InterfaceAddress&) const = default;
};

struct Interface {
    std::string name;
    std::uint32_t index = 0;
    /// Administratively up and running (IFF_UP and IFF_RUNNING).
    bool up = false;
    /// Link-local IPv6 addresses are left out.
    std::vector<InterfaceAddress> addresses;

    /// Whether an address is in one of its networks. Link-local ones are in any.
    bool has_neighbour(const Address& address) const;

    bool operator==(const Interface&) const = default;
};

/// A control group (version 2): how many steps below the root, and the kernel's id of it.
struct ControlGroup {
    std::uint32_t level = 0;
    std::uint64_t id = 0;
    bool operator==(const ControlGroup&) const = default;
};

/// An entry of the white list that was added at run time.
struct RunTimeEntry {
    Prefix prefix;
    /// Until it ends, more than 0; absent: it has no end.
    std::optional<std::chrono::milliseconds> lifetime = {};
    /// The name of the host that it was added by; empty: it was added by its address.
    std::string name = {};
    bool operator==(const RunTimeEntry&) const = default;
};

/// A link of a peer, by its place in site.toml: 0 is preferred.
struct PeerLink {
    std::string peer;
    std::size_t place = 0;
    auto operator<=>(const PeerLink&) const = default;
};

/// What the system says now.
struct Facts {
    std::vector<Interface> interfaces;
    bool forwarding4 = false;
    bool forwarding6 = false;
    /// What the host names of the white list resolve to; those that do not resolve are absent.
    std::map<std::string, std::vector<Address>> endpoints = {};
    /// Of the users and control groups that [intercept] excepts; those that do not exist are absent.
    std::map<std::string, std::uint32_t> users = {};
    std::map<std::string, ControlGroup> control_groups = {};
    /// In the order in which they were added.
    std::vector<RunTimeEntry> white_now = {};
    /// Not for new flows although their interfaces are up: nothing comes through, or not for long again.
    std::set<PeerLink> out_of_use = {};
    /// The kernel takes no routes of these families by them.
    std::set<std::pair<PeerLink, Family>> unroutable = {};

    const Interface* find(const std::string& name) const;
    bool operator==(const Facts&) const = default;
};

} // namespace natctl
