// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sys/uio.h>

#include "nftctl/kernel/nftnl_ptr.h"
#include "nftctl/kernel/set_codec.h"
#include "nftctl/plan/transaction.h"

namespace natctl::nft {

/// NFT_TABLE_F_PERSIST of linux/netfilter/nf_tables.h since 6.9.
inline constexpr std::uint32_t table_persists = 4;

/// Without its end the kernel checks a transaction, and gives it up.
enum class BatchEnd : std::uint8_t { commit, give_up };

/// Changes as one nf_tables transaction. Only the last change asks for an ACK: a refused message answers in any case,
/// so that few answers come however large the batch is.
class Batch {
public:
    /// `generation`: the transaction holds only if nothing changed since. 0: always. The messages are numbered from
    /// `first_sequence`. changes must not be empty.
    Batch(std::span<const Change> changes, std::uint32_t generation, std::uint32_t first_sequence,
          BatchEnd end = BatchEnd::commit);

    std::vector<iovec> parts() const;
    /// Number of messages.
    std::uint32_t size() const { return next_sequence_ - first_sequence_; }
    /// The change that a message came from; nullopt for the frame around them.
    std::optional<std::size_t> change_of(std::uint32_t sequence) const;
    std::uint32_t first_sequence() const { return first_sequence_; }
    std::uint32_t last_change_sequence() const {
        return first_sequence_ + static_cast<std::uint32_t>(change_of_message_.size());
    }

private:
    nlmsghdr* start_message(int type, int flags);
    void end_message();

    // `ack`: NLM_F_ACK or 0
    void add(const AddTable& change, int ack);
    void add(const DeleteTable& change, int ack);
    void add(const AddSet& change, int ack);
    void add(const AddHelper& change, int ack);
    void add(const AddElements& change, int ack);
    void add(const DeleteElements& change, int ack);
    void add(const AddChain& change, int ack);
    void add(const FlushChain& change, int ack);
    void add(const DeleteChain& change, int ack);
    void add(const AddRule& change, int ack);
    void add_elements(const SetSpec& spec, std::span<const Element> elements, const Lifetimes& lifetimes,
                      ElementUse use, int type, int flags, int ack);

    NftnlBatchPtr batch_;
    std::uint32_t first_sequence_;
    std::uint32_t next_sequence_;
    std::vector<std::size_t> change_of_message_;
};

} // namespace natctl::nft
