// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "nftctl/kernel/nftnl_ptr.h"
#include "nftctl/plan/table.h"

namespace natctl::nft {

// Sets and their elements in the kernel. An interval set of one field is a list of starts and ends: an end is an
// element of its own with NFT_SET_ELEM_INTERVAL_END and the first key that does not match any more; there is none at
// the top of the address space. Concatenations keep both bounds in one element (NFTA_SET_ELEM_KEY_END, kernel 5.6).
// nft also sends an end at key 0 with the first elements of a set. It changes neither lookups nor listings, and would
// make adding elements depend on what is there already, so we leave it out.

/// What NEWSET, NEWSETELEM and DELSETELEM of `inet natctl` need beside the elements.
NftnlSetPtr to_nftnl(const SetSpec& spec);

/// A spec with an empty key stands for a set that none of ours can be: other types, flags or an anonymous one.
SetSpec from_nftnl(const nftnl_set& set);

enum class ElementUse : std::uint8_t { add, remove };

/// Appends what stands for the element to the set's list. A lifetime belongs to the start of an interval, as with nft:
/// the kernel takes the end away with it.
void append(nftnl_set& set, const SetSpec& spec, const Element& element, ElementUse use,
            std::optional<std::chrono::milliseconds> lifetime = {});

/// How many elements fit into one message for sure: a nested attribute ends at 64 KiB.
std::size_t elements_per_message(const SetSpec& spec);

/// Puts the parts together that a dump lists in whatever order, over many messages.
class ElementReader {
public:
    explicit ElementReader(const SetSpec& spec) : spec_(spec) {}

    /// Takes all elements of the set's list.
    void take(const nftnl_set& set);
    /// Sorted, both ends included.
    std::vector<Element> finish();
    /// What is left of the lifetimes.
    const Lifetimes& lifetimes() const { return lifetimes_; }

private:
    struct Bound {
        /// With first == last.
        Element element;
        bool end;
    };

    const SetSpec& spec_;
    std::vector<Element> elements_;
    std::vector<Bound> bounds_;
    Lifetimes lifetimes_;
};

} // namespace natctl::nft
