// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/site/load.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

int run(const Options& options) {
    if (!options.json) return read_site(options.config, true) ? exit_done : exit_error;
    const auto loaded = load_site(options.config);
    Json findings = Json::array();
    for (const auto& item : flatten(loaded, options.config))
        findings.push_back({{"file", item.file},
                            {"line", item.line},
                            {"column", item.column},
                            {"end_column", item.end_column},
                            {"severity", item.severity},
                            {"message", item.message},
                            {"remedy", item.remedy}});
    const Json answer{{"ok", loaded.site.has_value()}, {"findings", findings}};
    fmt::print("{}\n", answer.dump(2, ' ', false, Json::error_handler_t::replace));
    return loaded.site ? exit_done : exit_error;
}

} // namespace

void add_check(CommandLine& line) {
    line.site_verb("check", "Read site.toml and name every mistake in it.", "natctl check site.toml",
                   [&line] { return run(line.options()); });
}

} // namespace natctl
