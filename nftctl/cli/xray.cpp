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
#include "nftctl/site/secret.h"
#include "nftctl/site/xray.h"
#include "nftctl/xray/configuration.h"

namespace natctl {

namespace {

/// What the file holds is not in the message: it may be an id with a slip of the pen.
void read_id(const std::string& path, XraySecrets& secrets) {
    auto id = read_secret(path, "id");
    if (!is_uuid(id))
        throw SystemError("use the id in", escape(path), EINVAL,
                          "its first line is no UUID; `cat /proc/sys/kernel/random/uuid` makes one, and the same one "
                          "belongs in the id_file of [xray] at the one site and of its peers at the others");
    secrets[path] = std::move(id);
}

XraySecrets read_secrets(const Site& site) {
    XraySecrets secrets;
    if (site.xray) read_id(site.xray->id_file, secrets);
    for (const auto& peer : site.peers) {
        if (peer.xray) read_id(peer.xray->id_file, secrets);
        if (const auto* link = xray_link(peer); link != nullptr && link->credentials.has_value())
            secrets[link->credentials->password_file] = read_secret(link->credentials->password_file);
    }
    return secrets;
}

int run(const Options& options, XrayKind kind) {
    const auto site = read_site_quietly(options.config);
    if (!site) return exit_error;
    if (!uses_xray(*site))
        throw SystemError("write a configuration of Xray for", escape(options.config), ENODATA,
                          "it names no Xray: add xray = { server = \"b.example.net:443\", id_file = \"b.id\" } to the "
                          "peers to dial, and [xray] with listen and id_file for those who dial this site");
    fmt::print("{}\n", xray_configuration(*site, read_secrets(*site), kind)
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
