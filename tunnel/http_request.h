// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "tunnel/http_body.h"
#include "tunnel/http_head.h"
#include "tunnel/socks5.h"

namespace natctl::http {

/// What a client of a proxy wants.
struct Request {
    socks5::Destination destination;
    /// Of Proxy-Authorization by Basic (RFC 7617); nullopt: none, or nothing that could be right.
    std::optional<socks5::UserPassword> credentials;
    /// A tunnel, and nothing of the request is for the far side.
    bool is_connect = false;
    /// Answers have no content.
    bool is_head = false;
    /// The head for the server, in origin-form; it says that the connection ends with this request. Empty for CONNECT.
    std::string head = {};
    /// What follows the head for the server. Nothing for CONNECT, where it does not apply.
    BodyMeter body = BodyMeter::of_length(0);
};

/// `bytes` are a head as HeadScanner finds it.
std::variant<Request, Refusal> parse_request(std::string_view bytes);

/// The status line and the fields that go with a refusal; its content is one line, left out after HEAD.
std::string answer(const Refusal& refusal, bool is_head = false);
/// The answer to CONNECT once the far side is connected.
inline constexpr std::string_view established = "HTTP/1.1 200 Connection established\r\n\r\n";

} // namespace natctl::http
