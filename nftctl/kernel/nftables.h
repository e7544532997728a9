// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nftctl/kernel/kernel.h"
#include "nftctl/kernel/netlink.h"

namespace natctl::nft {

/// The table `inet natctl` in the kernel, and the socket that may own it.
class Nftables {
public:
    Nftables();

    // Whose the table is; these need CAP_NET_ADMIN.
    /// This socket's.
    bool owns();
    /// Another socket's: then the kernel refuses our changes (EPERM).
    bool is_anothers();
    /// Makes an ownable table that is nobody's this socket's, if nothing changed since `generation`, which grows by one
    /// then. False: there is no such table, or it is this socket's already.
    bool take_over(std::uint32_t generation);

    /// Counts the changes to all tables of the network namespace.
    std::uint32_t generation();
    /// The calling thread's number as the kernel names it to others who change tables: that of the first pid namespace,
    /// which getpid(2) does not tell inside a container (nf_tables_fill_gen_info() in net/netfilter/nf_tables_api.c).
    std::uint32_t own_process();

    /// Whether our table is there. Needs CAP_NET_ADMIN.
    bool exists();

    struct State {
        /// nullopt: no such table.
        std::optional<Table> table;
        std::uint32_t generation = 0;
    };
    /// Everything as it stood at one generation. Needs CAP_NET_ADMIN.
    State read();

    /// Fills in the elements. False: there is no such set in our table, or somebody changed it meanwhile.
    bool read_elements(Set& set);

    /// All of it or nothing. `changes` may be empty; then nothing is asked of the kernel.
    CommitResult commit(std::span<const Change> changes, std::uint32_t generation);

    /// Asks whether the kernel would take the changes, and changes nothing: for each an errno, 0 when it would. The
    /// kernel may load modules for it.
    std::vector<int> try_out(std::span<const Change> changes);

private:
    std::uint32_t ask_generation(std::uint16_t wanted);
    struct Status {
        /// NFT_TABLE_F_*
        std::uint32_t flags = 0;
        /// The port of the socket that owns it (NFTA_TABLE_OWNER); 0: nobody does.
        std::uint32_t owner = 0;
    };
    /// nullopt: no such table.
    std::optional<Status> read_status();
    // Each is false when something changed meanwhile.
    bool read_table(std::optional<Table>& result);
    bool read_sets(Table& table);
    bool read_helpers(Table& table);
    bool read_chains(Table& table);
    bool read_rules(Table& table);
    bool dump(netlink::Message message, const netlink::Socket::Each& each);

    netlink::Socket socket_;
};

} // namespace natctl::nft
