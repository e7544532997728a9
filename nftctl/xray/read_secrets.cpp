// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/xray/read_secrets.h"

#include <cerrno>
#include <string>
#include <utility>

#include "nftctl/base/error.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/secret.h"
#include "nftctl/site/xray.h"

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

} // namespace

XraySecrets read_xray_secrets(const Site& site) {
    XraySecrets secrets;
    if (site.xray) read_id(site.xray->id_file, secrets);
    for (const auto& peer : site.peers) {
        if (peer.xray) read_id(peer.xray->id_file, secrets);
        if (const auto* link = xray_link(peer); link != nullptr && link->credentials.has_value())
            secrets[link->credentials->password_file] = read_secret(link->credentials->password_file);
    }
    return secrets;
}

} // namespace natctl
