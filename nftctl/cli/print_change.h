// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "nftctl/kernel/session.h"

namespace natctl {

/// {KEY: whether there is a change, "changes": it as nft text}
nlohmann::ordered_json json_of(const Transaction& change, const char* key);

/// The same of an agent's answer.
nlohmann::ordered_json json_of(const nlohmann::ordered_json& answer, const char* key);

/// What a verb says that has changed something: with --json what it was, else nothing.
void print_changed(const Options& options, const Transaction& change);
void print_changed(const Options& options, const nlohmann::ordered_json& answer);

} // namespace natctl
