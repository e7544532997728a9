// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/batch.h"

#include <algorithm>
#include <cassert>
#include <new>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftctl/kernel/chain_codec.h"
#include "nftctl/kernel/lower.h"
#include "nftctl/kernel/set_codec.h"

namespace natctl::nft {

namespace {

constexpr std::uint32_t page_size = 512 << 10;
/// Room for the largest message: one nested attribute and what stands around it.
constexpr std::uint32_t largest_message = 80 << 10;

NftnlTablePtr our_table() {
    NftnlTablePtr table(allocated(nftnl_table_alloc()));
    nftnl_table_set_u32(table.get(), NFTNL_TABLE_FAMILY, NFPROTO_INET);
    nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, table_name);
    return table;
}

NftnlSetPtr elements_message(const std::string& set_name) {
    NftnlSetPtr set(allocated(nftnl_set_alloc()));
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table_name);
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, set_name.c_str());
    return set;
}

} // namespace

Batch::Batch(std::span<const Change> changes, std::uint32_t generation, std::uint32_t first_sequence, BatchEnd end)
    : batch_(allocated(nftnl_batch_alloc(page_size, largest_message))),
      first_sequence_(first_sequence),
      next_sequence_(first_sequence) {
    assert(!changes.empty());
    auto* buffer = static_cast<char*>(nftnl_batch_buffer(batch_.get()));
    nlmsghdr* const begin = nftnl_batch_begin(buffer, next_sequence_++);
    if (generation != 0) mnl_attr_put_u32(begin, NFNL_BATCH_GENID, htonl(generation));
    end_message();

    for (const Change& change : changes) {
        const std::uint16_t ack = &change == &changes.back() ? NLM_F_ACK : 0;
        std::visit([&](const auto& value) { add(value, ack); }, change);
        // One change may be several messages.
        change_of_message_.resize(size() - 1, static_cast<std::size_t>(&change - changes.data()));
    }

    if (end == BatchEnd::give_up) return;
    nftnl_batch_end(static_cast<char*>(nftnl_batch_buffer(batch_.get())), next_sequence_++);
    end_message();
}

std::vector<iovec> Batch::parts() const {
    std::vector<iovec> parts(static_cast<std::size_t>(nftnl_batch_iovec_len(batch_.get())));
    nftnl_batch_iovec(batch_.get(), parts.data(), static_cast<std::uint32_t>(parts.size()));
    return parts;
}

std::optional<std::size_t> Batch::change_of(std::uint32_t sequence) const {
    const std::uint32_t index = sequence - first_sequence_ - 1;
    if (index >= change_of_message_.size()) return std::nullopt;
    return change_of_message_[index];
}

nlmsghdr* Batch::start_message(int type, int flags) {
    return nftnl_nlmsg_build_hdr(static_cast<char*>(nftnl_batch_buffer(batch_.get())), static_cast<std::uint16_t>(type),
                                 NFPROTO_INET, static_cast<std::uint16_t>(flags), next_sequence_++);
}

void Batch::add(const AddTable& change, int ack) {
    const NftnlTablePtr table = our_table();
    if (change.ownable)
        nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, std::uint32_t{NFT_TABLE_F_OWNER} | table_persists);
    nftnl_table_nlmsg_build_payload(start_message(NFT_MSG_NEWTABLE, NLM_F_CREATE | ack), table.get());
    end_message();
}

void Batch::add(const DeleteTable&, int ack) {
    nftnl_table_nlmsg_build_payload(start_message(NFT_MSG_DELTABLE, ack), our_table().get());
    end_message();
}

void Batch::add(const AddSet& change, int ack) {
    const NftnlSetPtr set = to_nftnl(change.spec);
    // The kernel insists on a number that is unique in the batch.
    nftnl_set_set_u32(set.get(), NFTNL_SET_ID, next_sequence_ - first_sequence_);
    nftnl_set_nlmsg_build_payload(start_message(NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL | ack), set.get());
    end_message();
}

void Batch::add(const AddHelper& change, int ack) {
    nftnl_obj_nlmsg_build_payload(start_message(NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_EXCL | ack),
                                  to_nftnl(change.helper).get());
    end_message();
}

void Batch::add(const AddElements& change, int ack) {
    add_elements(change.set, change.elements.all(), change.lifetimes, ElementUse::add, NFT_MSG_NEWSETELEM, NLM_F_CREATE,
                 ack);
}

void Batch::add(const DeleteElements& change, int ack) {
    add_elements(change.set, change.elements.all(), {}, ElementUse::remove, NFT_MSG_DELSETELEM, 0, ack);
}

void Batch::add_elements(const SetSpec& spec, std::span<const Element> elements, const Lifetimes& lifetimes,
                         ElementUse use, int type, int flags, int ack) {
    const std::size_t chunk = elements_per_message(spec);
    // Without elements there is one empty message, which changes nothing and is answered like any other.
    do {
        const auto part = elements.first(std::min(chunk, elements.size()));
        elements = elements.subspan(part.size());
        const NftnlSetPtr message = elements_message(spec.name);
        for (const Element& element : part) {
            const auto lifetime = lifetimes.find(element.first());
            append(*message, spec, element, use,
                   lifetime == lifetimes.end() ? std::nullopt : std::optional(lifetime->second));
        }
        nftnl_set_elems_nlmsg_build_payload(start_message(type, flags | (elements.empty() ? ack : 0)), message.get());
        end_message();
    } while (!elements.empty());
}

void Batch::add(const AddChain& change, int ack) {
    nftnl_chain_nlmsg_build_payload(start_message(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL | ack),
                                    to_nftnl(change.name, change.hook).get());
    end_message();
}

void Batch::add(const FlushChain& change, int ack) {
    nftnl_rule_nlmsg_build_payload(start_message(NFT_MSG_DELRULE, ack), to_nftnl(change.name, nullptr).get());
    end_message();
}

void Batch::add(const DeleteChain& change, int ack) {
    nftnl_chain_nlmsg_build_payload(start_message(NFT_MSG_DELCHAIN, ack), to_nftnl(change.name, std::nullopt).get());
    end_message();
}

void Batch::add(const AddRule& change, int ack) {
    assert(raise(lower(change.rule)) == change.rule && "a rule that would be read as another one");
    nftnl_rule_nlmsg_build_payload(start_message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | ack),
                                   to_nftnl(change.chain, &change.rule).get());
    end_message();
}

void Batch::end_message() {
    if (nftnl_batch_update(batch_.get()) < 0) throw std::bad_alloc();
}

} // namespace natctl::nft
