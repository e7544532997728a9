// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/plan/rule.h"
#include "nftctl/plan/trace.h"

namespace natctl::nft {

/// What is told of a packet's way, and how it ends.
class Story {
public:
    struct Ending {
        Fate fate = Fate::dropped;
        /// Only of what was refused or dropped.
        std::string reason = {};
        /// Only of what was refused.
        std::string sender_sees = {};
    };

    /// One step. It has the rules that took effect since the last one.
    void say(std::string text);
    void took_effect(const std::string& chain, const Rule& rule);
    /// What trace passes over; each text once.
    void doubt(std::string text);
    /// The packet leaves or is delivered.
    void comes_through(Fate fate, std::string text);
    /// It is refused or dropped.
    void ends(Ending ending);
    /// The steps from here on are the answer's.
    void turn_to_answer() { of_answer_ = true; }

    const Ending& ending() const { return ending_; }
    /// Moves the steps and the doubts to the trace.
    void tell(Trace& trace);

private:
    std::vector<Step> steps_;
    std::vector<Step> answer_;
    std::vector<std::string> doubts_;
    std::vector<std::string> effects_;
    Ending ending_;
    bool of_answer_ = false;
};

} // namespace natctl::nft
