// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/kernel/session.h"
#include "nftctl/plan/compile.h"

namespace natctl {

/// Keeps the kernel as what is applied now asks, for a program that runs on: it remembers the site, so that a look
/// costs no reading of files.
class Upkeep {
public:
    using AdjustFacts = std::function<void(const Site&, Facts&)>;

    /// `standing.find` gives what is known, at once. `adjust` may change facts that are not to be believed.
    Upkeep(Options options, Standing standing, AdjustFacts adjust = {});

    struct Look {
        /// What is applied, confirmed or on trial; nullptr: nothing is, and nothing was done but to take down a table
        /// that nobody else can.
        std::shared_ptr<const Site> site;
        /// As they were read last.
        Facts facts = {};
        Transaction change = {};
        /// Why the mirror of the white list is not what it should be; empty: it is.
        std::string mirror_refusal = {};
    };
    /// Makes the kernel hold what is applied now, with the facts of this moment. Takes the lock. Throws SystemError
    /// when the kernel refuses, RouteRefused where it is a route; the former state is in place then.
    /// `thorough`: also what nobody tells of, such as the mirror of the white list.
    Look look(bool thorough = true);

    /// Of the last look, also of one that was refused.
    const std::shared_ptr<const Site>& site() const { return site_; }

    /// How many elements each set of the table is to hold, with the facts as they were read last. Empty: nothing is
    /// applied.
    std::map<std::string, std::uint64_t> set_sizes() const;

    /// Ends what lives on interface links of these peers: their next packets are refused. Returns how many flows it
    /// were. Throws SystemError.
    std::size_t end_flows(const Site& site, const std::vector<std::string>& peers);

    /// Others changed tables that are not ours, and nobody else any, from the generation `first` to `last`: what is
    /// known of ours stays known.
    void follow(std::uint32_t first, std::uint32_t last);

private:
    using Clock = std::chrono::steady_clock;

    /// Says when a file is another one.
    struct FileState {
        std::uint64_t device = 0;
        std::uint64_t number = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        std::string path = {};
        bool operator==(const FileState&) const = default;
    };
    static FileState state_of_file(const std::string& path);

    std::shared_ptr<const Site> read_site();
    void follow_mirror(Look& look, bool thorough);

    Options options_;
    Standing standing_;
    FileState read_;
    std::shared_ptr<const Site> site_;
    /// Of that site.
    std::optional<Compiler> compiler_;
    std::unique_ptr<Kernel> kernel_;
    /// As they were read last, and when.
    Facts facts_;
    Clock::time_point facts_read_;
    /// What the mirror of the white list was made of last.
    std::shared_ptr<const Site> mirrored_site_;
    Facts mirrored_facts_;
};

} // namespace natctl
