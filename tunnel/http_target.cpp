// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_target.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "nftctl/base/http_text.h"

namespace natctl::http {

namespace {

constexpr std::uint16_t usual_port = 80;
/// As in SOCKS5.
constexpr std::size_t longest_name = 255;

struct Authority {
    std::string_view host;
    /// Without the colon; empty when there is none.
    std::string_view port;
    bool has_colon = false;
};

/// nullopt: brackets that do not match.
std::optional<Authority> split(std::string_view text) {
    const auto after_host = text.starts_with('[') ? text.find(']') + 1 : std::min(text.find(':'), text.size());
    if (text.starts_with('[') && after_host == 0) return std::nullopt;
    Authority result{text.substr(0, after_host), text.substr(after_host)};
    if (result.port.empty()) return result;
    if (result.port.front() != ':') return std::nullopt;
    result.port.remove_prefix(1);
    result.has_colon = true;
    return result;
}

/// No other characters, percent-encoded or not, are in names that a resolver or a proxy could be asked for.
bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

std::optional<std::variant<Address, std::string>> parse_host(std::string_view text) {
    if (text.starts_with('[')) {
        const auto address = Address::parse(text.substr(1, text.size() - 2));
        if (!address || address->family() != Family::ipv6) return std::nullopt;
        return *address;
    }
    if (text.empty() || text.size() > longest_name || !std::ranges::all_of(text, is_name_character))
        return std::nullopt;
    if (const auto address = Address::parse(text)) return *address;
    return std::string(text);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

Refusal no_host(std::string_view example) {
    return {400, "the target names no host and port that could be connected to", "write " + std::string(example)};
}

std::variant<Target, Refusal> parse_authority_form(std::string_view target) {
    const auto authority = split(target);
    const auto host = authority ? parse_host(authority->host) : std::nullopt;
    const auto port = authority ? parse_port(authority->port) : std::nullopt;
    if (!host || !port) return no_host("CONNECT HOST:PORT");
    return Target{{*host, *port}, std::string(target), ""};
}

std::variant<Target, Refusal> parse_http_url(std::string_view method, std::string_view rest) {
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = split(rest.substr(0, end));
    const auto host = authority ? parse_host(authority->host) : std::nullopt;
    // RFC 3986 allows a colon without a port.
    const auto port = authority && !authority->port.empty() ? parse_port(authority->port) : std::optional(usual_port);
    if (!host || !port) return no_host("http://HOST:PORT/PATH");
    Target result{{*host, *port}, std::string(authority->host), std::string(rest.substr(end))};
    if (*port != usual_port) result.authority += ':' + std::to_string(*port);
    if (result.origin.empty() && method == "OPTIONS")
        result.origin = "*";
    else if (!result.origin.starts_with('/'))
        result.origin.insert(0, "/");
    return result;
}

} // namespace

std::variant<Target, Refusal> parse_target(std::string_view method, std::string_view target) {
    if (target.find('#') != std::string_view::npos) return Refusal{400, "the target has a fragment", "leave it out"};
    if (method == "CONNECT") return parse_authority_form(target);
    const auto scheme_end = target.find("://");
    if (target.starts_with('/') || target == "*" || scheme_end == std::string_view::npos)
        return Refusal{400, "this is a proxy, and the request is one to a server",
                       "set it as the HTTP proxy of your program, which then asks for http://HOST/PATH"};
    if (!equal_without_case(target.substr(0, scheme_end), "http"))
        return Refusal{501, "this proxy asks for http:// alone", "use CONNECT HOST:PORT for anything else"};
    return parse_http_url(method, target.substr(scheme_end + 3));
}

} // namespace natctl::http
