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

    /// nullopt: it has hung up, or says nothing for some seconds.
    std::optional<nlohmann::ordered_json> ask(const std::string& what);
    /// The next line of one that watches, whenever it comes; nullopt: it has hung up.
    std::optional<nlohmann::ordered_json> wait();

private:
    explicit AgentClient(Fd socket) : socket_(std::move(socket)) {}
    std::optional<nlohmann::ordered_json> read_line();

    Fd socket_;
    std::string in_;
};

/// What natctl-agent says of itself, in words, a line each. The part "status" of its answer.
std::vector<std::string> agent_lines(const nlohmann::ordered_json& status);

/// "2026-11-21T18:00:00Z warning: nft took away ..."
std::string event_line(const nlohmann::ordered_json& event);

} // namespace natctl
