// SPDX-License-Identifier: GPL-3.0-or-later
#include <cerrno>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/names.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/site/quote.h"
#include "nftctl/xray/configuration.h"
#include "nftctl/xray/read_secrets.h"

namespace natctl {

namespace {

int run(const Options& options, XrayKind kind) {
    const auto site = read_site_quietly(options.config);
    if (!site) return exit_error;
    if (!uses_xray(*site))
        throw SystemError("write a configuration of Xray for", escape(options.config), ENODATA,
                          "it names no Xray: add xray = { server = \"b.example.net:443\", id_file = \"b.id\" } to the "
                          "peers to dial, and [xray] with listen and id_file for those who dial this site");
    fmt::print("{}\n", xray_configuration(*site, read_xray_secrets(*site), kind)
                           .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return exit_done;
}

} // namespace

void add_xray(CommandLine& line) {
    const auto kind = std::make_shared<std::string>("xray");
    auto& verb = line.site_verb(
        "xray", "Print the configuration of this site's Xray or v2ray, with its ids.",
        "natctl xray | sudo install -m 600 -o xray /dev/stdin /usr/local/etc/xray/config.json",
        [&line, kind] { return run(line.options(), *kind == "v2ray" ? XrayKind::v2ray : XrayKind::xray); });
    verb.add_option("--for", *kind, "a current Xray, or v2ray 4.34 as in Debian 12")
        ->check(CLI::IsMember({"xray", "v2ray"}))
        ->capture_default_str();
}

} // namespace natctl
