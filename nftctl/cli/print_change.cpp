// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/print_change.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/plan/render.h"

namespace natctl {

nlohmann::ordered_json json_of(const Transaction& change, const char* key) {
    return {{key, !change.empty()}, {"changes", render(change)}};
}

void print_changed(const Options& options, const Transaction& change) {
    if (options.json) fmt::print("{}\n", json_of(change, "changed").dump(2));
}

} // namespace natctl
