// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "nftctl/base/address.h"

namespace natctl {

/// The pings of one program: who asks, whom, and under which identifier of its own.
struct EchoFlow {
    Address asker;
    Address asked;
    std::uint16_t identifier = 0;

    auto operator<=>(const EchoFlow&) const = default;
};

/// Gives each flow an identifier that is ours alone, so that askers who chose the same one are kept apart. Bounded: at
/// the cap the flow that rested longest goes.
class EchoFlows {
public:
    using Clock = std::chrono::steady_clock;

    /// `capacity` is a power of two, 65536 at most. RFC 5508, section 3.2, wants `idle` to be a minute at least.
    explicit EchoFlows(std::size_t capacity = 4096, Clock::duration idle = std::chrono::minutes(1));

    /// The one for a request that goes out now.
    std::uint16_t identifier_for(const EchoFlow& flow, Clock::time_point now);
    /// Whose the identifier is; nullptr: nobody's, or no longer. Good until the table changes.
    const EchoFlow* find(std::uint16_t identifier) const;
    /// Forgets the flows that have asked nothing for too long.
    void tick(Clock::time_point now);
    std::size_t size() const { return by_flow_.size(); }

private:
    struct Slot {
        EchoFlow flow;
        std::uint16_t identifier;
        Clock::time_point used;
    };
    using Slots = std::list<Slot>;
    using ByFlow = std::map<EchoFlow, Slots::iterator>;

    std::size_t place_of(std::uint16_t identifier) const { return identifier % by_place_.size(); }
    std::uint16_t take(std::size_t place);
    ByFlow::iterator add(const EchoFlow& flow);
    ByFlow::iterator replace_oldest(const EchoFlow& flow);

    Clock::duration idle_;
    /// Asked last, last.
    Slots slots_;
    /// No hash: the keys are strangers' choice.
    ByFlow by_flow_;
    /// By identifier modulo capacity.
    std::vector<const Slot*> by_place_;
    std::vector<std::size_t> free_places_;
    /// What a place gives next: another one each time, so that late answers to a flow that is gone find nobody.
    std::vector<std::uint16_t> next_;
};

} // namespace natctl
