// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "nftctl/site/site.h"

namespace natctl {

/// Whose configuration it is to be. v2ray 4.34 knows no finalRules.
enum class XrayKind : std::uint8_t { xray, v2ray };

/// What the files named in site.toml hold: the ids of [xray] and of peers, passwords of their links. By path.
using XraySecrets = std::map<std::string, std::string>;

/// Whether anything of the site concerns Xray.
bool uses_xray(const Site& site);

/// The 36 characters of RFC 4122, section 3. Xray takes others too, and makes UUIDs of them in a way of its own.
bool is_uuid(std::string_view text);

/// The whole configuration of the site's Xray. SOCKS inbounds on loopback lead to their peers alone, the VLESS inbound
/// to the own virtual prefixes alone; what else comes in is blocked. uses_xray() holds; `secrets` has every file.
nlohmann::ordered_json xray_configuration(const Site& site, const XraySecrets& secrets, XrayKind kind);

} // namespace natctl
