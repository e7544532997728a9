// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/web_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "nftctl/base/address.h"
#include "nftctl/base/http_text.h"

namespace natctl::web {

namespace {

using http::equal_without_case;

bool is_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
}

std::optional<Refusal> read_request_line(std::string_view line, Request& request) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == line.npos || first == last) return Refusal{400, "this is no request of HTTP"};
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!http::is_token(method) || target.find(' ') != target.npos) return Refusal{400, "this is no request of HTTP"};
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return Refusal{505, "it has to be HTTP/1.1"};
    if (method != "GET" && method != "HEAD") return Refusal{405, "only GET and HEAD are answered"};
    if (!target.starts_with('/')) return Refusal{400, "the target has to begin with a slash"};
    request.head_only = method == "HEAD";
    request.path = target.substr(0, target.find('?'));
    return std::nullopt;
}

/// False: it is none, or stands a second time.
bool read_field(std::string_view line, Request& request) {
    const auto colon = line.find(':');
    if (colon == line.npos || !http::is_token(line.substr(0, colon))) return false;
    const auto name = line.substr(0, colon);
    const auto value = http::trimmed(line.substr(colon + 1));
    const std::array<std::pair<std::string_view, std::string*>, 3> wanted{
        {{"host", &request.host}, {"origin", &request.origin}, {"sec-fetch-site", &request.fetch_site}}};
    for (const auto& [wanted_name, place] : wanted) {
        if (!equal_without_case(name, wanted_name)) continue;
        if (!place->empty() || value.empty()) return false;
        *place = value;
    }
    return true;
}

/// "localhost", "127.0.0.1" or "[::1]", with or without a port: `ssh -L` may give it another one than ours.
bool is_this_machine(std::string_view host) {
    const auto bracket = host.find(']');
    const auto colon = host.find(':', bracket == host.npos ? 0 : bracket);
    if (colon != host.npos && (colon + 1 == host.size() || !is_digits(host.substr(colon + 1)))) return false;
    const auto name = host.substr(0, colon);
    if (equal_without_case(name, "localhost")) return true;
    const bool in_brackets = name.starts_with('[') && name.ends_with(']');
    const auto address = Address::parse(in_brackets ? name.substr(1, name.size() - 2) : name);
    return address && address->is_loopback() && in_brackets == (address->family() == Family::ipv6);
}

std::string_view reason(unsigned status) {
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 421: return "Misdirected Request";
    case 431: return "Request Header Fields Too Large";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
    }
}

} // namespace

std::variant<Unfinished, Request, Refusal> parse(std::string_view bytes) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == bytes.npos) {
        if (bytes.size() >= longest_request) return Refusal{431, fmt::format("at most {} bytes", longest_request)};
        return Unfinished{};
    }
    if (end + 4 > longest_request) return Refusal{431, fmt::format("at most {} bytes", longest_request)};
    auto rest = bytes.substr(0, end + 2);
    Request request;
    const auto first = http::take_line(rest);
    if (has_control_character(first)) return Refusal{400, "this is no request of HTTP"};
    if (auto refusal = read_request_line(first, request)) return *std::move(refusal);
    while (!rest.empty()) {
        const auto line = http::take_line(rest);
        if (has_control_character(line) || !read_field(line, request))
            return Refusal{400, "a field of the request is malformed, or stands twice"};
    }
    return request;
}

std::optional<Refusal> objection(const Request& request) {
    if (request.host.empty()) return Refusal{400, "the request does not say whom it is for (Host)"};
    if (!is_this_machine(request.host))
        return Refusal{421, "only requests for localhost, 127.0.0.1 and [::1] are answered"};
    const bool own_origin = request.origin.empty() || equal_without_case(request.origin, "http://" + request.host);
    const bool own_site =
        request.fetch_site.empty() || request.fetch_site == "same-origin" || request.fetch_site == "none";
    if (!own_origin || !own_site) return Refusal{403, "another site asks: type the address yourself"};
    return std::nullopt;
}

std::string to_bytes(const Response& response, bool head_only) {
    return fmt::format("HTTP/1.1 {} {}\r\n"
                       "Content-Type: {}\r\n"
                       "Content-Length: {}\r\n"
                       "Connection: close\r\n"
                       "Cache-Control: no-store\r\n"
                       "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; "
                       "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                       "frame-ancestors 'none'\r\n"
                       "Cross-Origin-Resource-Policy: same-origin\r\n"
                       "Referrer-Policy: no-referrer\r\n"
                       "X-Content-Type-Options: nosniff\r\n"
                       "X-Frame-Options: DENY\r\n"
                       "{}\r\n{}",
                       response.status, reason(response.status), response.type, response.content.size(),
                       response.status == 405 ? "Allow: GET, HEAD\r\n" : "",
                       head_only ? std::string_view() : std::string_view(response.content));
}

std::string to_bytes(const Refusal& refusal, bool head_only) {
    return to_bytes(Response{refusal.status, "text/plain; charset=utf-8",
                             fmt::format("{} {}: {}\n", refusal.status, reason(refusal.status), refusal.cause)},
                    head_only);
}

} // namespace natctl::web
