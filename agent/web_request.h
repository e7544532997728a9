// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// The little of HTTP/1.1 (RFC 9110, RFC 9112) that the agent needs to show of itself: GET and HEAD, one request on a
/// connection. What natctl-tunnel reads as a proxy is more, and is another layer's.
namespace natctl::web {

/// Bytes of a request.
inline constexpr std::size_t longest_request = 8192;

struct Request {
    /// HEAD: the same answer without its content.
    bool head_only = false;
    /// Without what follows a question mark. Begins with a slash.
    std::string path;
    /// The fields that say who asks; empty: absent.
    std::string host;
    std::string origin;
    std::string fetch_site;
};

/// A status of RFC 9110 and what happened, for people.
struct Refusal {
    unsigned status = 0;
    std::string cause;
    bool operator==(const Refusal&) const = default;
};

struct Unfinished {};

/// `bytes`: all that came so far. Content is none of a GET's: it is left unread.
std::variant<Unfinished, Request, Refusal> parse(std::string_view bytes);

/// Why a sound request is not answered: a page of the Internet that a browser on this machine shows, or whoever gave
/// his name an address of this machine (DNS rebinding), asks in somebody else's name. nullopt: it may be.
std::optional<Refusal> objection(const Request& request);

struct Response {
    unsigned status = 200;
    std::string_view type;
    std::string content;
};

/// With all fields, among them those by which a browser neither keeps, frames, nor guesses anything, and loads nothing
/// that is not from here.
std::string to_bytes(const Response& response, bool head_only);
std::string to_bytes(const Refusal& refusal, bool head_only);

} // namespace natctl::web
