// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nftctl/base/fd.h"

namespace natctl {

/// A conversation with natctl-agent at its socket in RUN_DIR (agent/control.h).
class AgentClient {
public:
    /// nullopt: it does not run, is of another release, or may not be asked.
    static std::optional<AgentClient> connect(const std::string& run_dir);

    /// Absolute paths of what it keeps; empty: it does not say.
    const std::string& config() const { return config_; }
    const std::string& state_dir() const { return state_dir_; }

    /// Seconds. It is on this machine, and may be busy with a large table; or is asked to make one.
    static constexpr int for_words = 10;
    static constexpr int for_work = 120;
    /// nullopt: it has hung up, or says nothing for so long.
    std::optional<nlohmann::ordered_json> ask(const nlohmann::ordered_json& request, int patience = for_words);
    /// The next line of one that watches, whenever it comes; nullopt: it has hung up.
    std::optional<nlohmann::ordered_json> wait();

private:
    explicit AgentClient(Fd socket) : socket_(std::move(socket)) {}
    std::optional<nlohmann::ordered_json> read_line();

    Fd socket_;
    std::string in_;
    std::string config_;
    std::string state_dir_;
};

/// What natctl-agent says of itself, in words, a line each. The part "status" of its answer.
std::vector<std::string> agent_lines(const nlohmann::ordered_json& status);

/// "2026-11-21T18:00:00Z warning: nft took away ..."
std::string event_line(const nlohmann::ordered_json& event);

} // namespace natctl
