// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/echo_flows.h"

#include <bit>
#include <cassert>
#include <iterator>
#include <utility>

namespace natctl {

EchoFlows::EchoFlows(std::size_t capacity, Clock::duration idle) : idle_(idle), by_place_(capacity) {
    assert(std::has_single_bit(capacity) && capacity <= std::size_t{1} << 16);
    for (std::size_t place = 0; place < capacity; ++place) {
        free_places_.push_back(capacity - 1 - place);
        next_.push_back(static_cast<std::uint16_t>(place));
    }
}

std::uint16_t EchoFlows::take(std::size_t place) {
    const std::uint16_t identifier = next_[place];
    next_[place] = static_cast<std::uint16_t>(identifier + by_place_.size());
    return identifier;
}

std::uint16_t EchoFlows::identifier_for(const EchoFlow& flow, Clock::time_point now) {
    auto found = by_flow_.find(flow);
    if (found == by_flow_.end()) found = free_places_.empty() ? replace_oldest(flow) : add(flow);
    const auto slot = found->second;
    slot->used = now;
    slots_.splice(slots_.end(), slots_, slot);
    return slot->identifier;
}

EchoFlows::ByFlow::iterator EchoFlows::add(const EchoFlow& flow) {
    const std::size_t place = free_places_.back();
    free_places_.pop_back();
    slots_.push_back({flow, take(place), {}});
    by_place_[place] = &slots_.back();
    return by_flow_.emplace(flow, std::prev(slots_.end())).first;
}

/// Allocates nothing: a flood costs time alone.
EchoFlows::ByFlow::iterator EchoFlows::replace_oldest(const EchoFlow& flow) {
    Slot& oldest = slots_.front();
    auto node = by_flow_.extract(oldest.flow);
    node.key() = flow;
    oldest.flow = flow;
    oldest.identifier = take(place_of(oldest.identifier));
    return by_flow_.insert(std::move(node)).position;
}

const EchoFlow* EchoFlows::find(std::uint16_t identifier) const {
    const Slot* slot = by_place_[place_of(identifier)];
    return slot && slot->identifier == identifier ? &slot->flow : nullptr;
}

void EchoFlows::tick(Clock::time_point now) {
    while (!slots_.empty() && now - slots_.front().used >= idle_) {
        const Slot& oldest = slots_.front();
        const std::size_t place = place_of(oldest.identifier);
        by_place_[place] = nullptr;
        free_places_.push_back(place);
        by_flow_.erase(oldest.flow);
        slots_.pop_front();
    }
}

} // namespace natctl
