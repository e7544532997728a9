// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/doctor/firewall.h"
#include "nftctl/plan/facts.h"
#include "nftctl/plan/plan.h"
#include "nftctl/site/diagnostic.h"

namespace natctl::doctor {

/// A part of the examination: what was seen, or why it could not be looked at.
template <class T>
struct Seen {
    T value{};
    /// Empty: it was looked at.
    std::string failure = "it was not looked at";

    Seen() = default;
    Seen(T seen) : value(std::move(seen)), failure() {}
    static Seen failed(std::string why) {
        Seen seen;
        seen.failure = std::move(why);
        return seen;
    }

    explicit operator bool() const { return failure.empty(); }
    const T& operator*() const { return value; }
    const T* operator->() const { return &value; }
    T* operator->() { return &value; }
};

/// The name of an interface's sysctl for sysctl(8), which wants slashes where the interface has a dot (eth0.5).
std::string interface_sysctl(Family family, const std::string& interface, const std::string& leaf);

/// Something our table needs of the kernel, asked for in a transaction that is given up.
struct Feature {
    /// For people: "prefix NAT (NETMAP)".
    std::string name;
    std::string module;
    /// Since which release the kernel has it, where the module alone does not say it.
    std::string since = {};
    /// The errno of the kernel's refusal; 0: it is there.
    int error = 0;
};

struct Device {
    std::string name;
    /// IFLA_INFO_KIND: "bridge", "wireguard", "tun", "veth" ...; empty for hardware.
    std::string kind = {};
    std::uint32_t mtu = 0;
    /// IFF_UP
    bool switched_on = false;
    /// IFF_RUNNING: there is a carrier.
    bool running = false;
};

/// A policy routing rule that is not natctl's.
struct ForeignRule {
    Family family = Family::ipv4;
    std::uint32_t priority = 0;
    std::uint32_t table = 0;
    std::optional<Prefix> from = {};
    std::optional<Prefix> to = {};
    std::string iif = {};
    std::string oif = {};
    std::optional<Mark> fwmark = {};
    /// FRA_SUPPRESS_PREFIXLEN: routes of this length or shorter do not count.
    std::optional<unsigned> suppress = {};
    std::uint8_t protocol = 0;
    bool inverted = false;
    /// It looks up a table, and does nothing else.
    bool looks_up = true;
    /// Selectors beside those above: user, ports, tos ...
    bool has_more = false;
};

/// A route that is not natctl's.
struct ForeignRoute {
    std::uint32_t table = 0;
    Prefix destination;
    std::string dev = {};
    std::uint8_t protocol = 0;
};

/// A listening TCP socket.
struct ListeningSocket {
    Endpoint endpoint;
    /// Also IPv4, though the address is IPv6.
    bool dual = false;
};

/// How a proxy of site.toml answers.
struct ProxyAnswer {
    enum class Kind : std::uint8_t {
        ready,
        unreachable,
        silent,
        no_socks5,
        wants_password,
        wrong_password,
        no_secret,
    };
    SocksLink link;
    Kind kind = Kind::ready;
    /// unreachable: the cause; no_secret: what is wrong with the password's file.
    std::string cause = {};
};

struct WireGuardPeer {
    std::string public_key;
    std::vector<Prefix> allowed_ips = {};
};
struct WireGuardDevice {
    std::string name;
    std::vector<WireGuardPeer> peers = {};
};

/// A running natctl-tunnel or natctl-agent.
struct Process {
    int pid = 0;
    /// Open descriptors, and how many there may be.
    std::size_t descriptors = 0;
    std::size_t most_descriptors = 0;
};

struct Path {
    std::string path;
    bool exists = false;
    bool directory = false;
    bool writable = false;
    /// Permission bits.
    unsigned mode = 0;
    /// Bytes that are free in its file system.
    std::uint64_t free = 0;
};

struct Clock {
    std::chrono::system_clock::time_point now = {};
    bool synchronised = false;
};

/// How natctl was called: what commands for people are put together from.
struct Invocation {
    std::string config = "/etc/natctl/site.toml";
    std::string run_dir = "/run/natctl";
    std::string state_dir = "/var/lib/natctl";
};

/// Everything that was looked at, as values.
struct Examination {
    Invocation invocation = {};
    /// What reading site.toml said, and why it could not be read at all.
    Seen<std::vector<Diagnostic>> configuration = {};
    Seen<Facts> facts = {};
    /// Why what was added to the white list at run time could not be read, and is not in the facts.
    std::string white_now_failure = {};
    Seen<std::vector<Device>> devices = {};
    /// By their names for sysctl(8). Those that this kernel has not got are absent.
    Seen<std::map<std::string, std::string>> sysctls = {};
    Seen<std::vector<Feature>> features = {};
    /// What the kernel holds of natctl's.
    Seen<Plan> plan = {};
    Seen<std::vector<firewall::Table>> tables = {};
    /// Tables of ip_tables and ip6_tables, which nf_tables does not show.
    Seen<std::vector<std::string>> legacy_tables = {};
    Seen<std::vector<ForeignRule>> rules = {};
    /// Of natctl's tables, and of those that foreign rules before ours lead to.
    Seen<std::vector<ForeignRoute>> routes = {};
    Seen<std::vector<ListeningSocket>> listening = {};
    Seen<std::vector<ProxyAnswer>> proxies = {};
    /// By the ready file; nullopt: there is none, or its process is gone.
    Seen<std::optional<Process>> tunnel = {};
    Seen<std::optional<Process>> agent = {};
    Seen<std::vector<WireGuardDevice>> wireguard = {};
    /// Names of the white list that do not resolve, each with the cause.
    Seen<std::map<std::string, std::string>> unresolved = {};
    Seen<Clock> clock = {};
    Seen<std::vector<Path>> paths = {};
};

} // namespace natctl::doctor
