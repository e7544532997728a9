// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "tunnel/http_head.h"
#include "tunnel/socks5.h"

namespace natctl::http {

/// Where a request goes, and how it says so to the server itself (RFC 9112, section 3.2).
struct Target {
    socks5::Destination destination;
    /// For the Host field: as it was written, without the usual port.
    std::string authority;
    /// Path and query; "*" for OPTIONS of the server as a whole. Empty for CONNECT.
    std::string origin;
};

/// authority-form for CONNECT, else absolute-form of http alone.
std::variant<Target, Refusal> parse_target(std::string_view method, std::string_view target);

} // namespace natctl::http
