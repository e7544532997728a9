// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/print_change.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/plan/render.h"

namespace natctl {

nlohmann::ordered_json json_of(const Transaction& change, const char* key) {
    return {{key, !change.empty()}, {"changes", render(change)}};
}

nlohmann::ordered_json json_of(const nlohmann::ordered_json& answer, const char* key) {
    return {{key, answer.at(key)}, {"changes", answer.at("changes")}};
}

void print_changed(const Options& options, const nlohmann::ordered_json& answer) {
    if (options.json) fmt::print("{}\n", json_of(answer, "changed").dump(2));
}

void print_changed(const Options& options, const Transaction& change) {
    print_changed(options, json_of(change, "changed"));
}

} // namespace natctl
