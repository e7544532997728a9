// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include "nftctl/plan/live_flow.h"

namespace natctl {

/// A flow as programs get it, from `natctl flows --json` and from natctl-agent.
nlohmann::ordered_json json_of(const LiveFlow& flow, std::chrono::system_clock::time_point now);
/// An array of them.
nlohmann::ordered_json json_of(std::span<const LiveFlow> flows, std::chrono::system_clock::time_point now);

} // namespace natctl
