// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

#include "nftctl/base/http_text.h"
#include "tunnel/base64.h"
#include "tunnel/http_target.h"

namespace natctl::http {

namespace {

/// Fields that a proxy keeps for itself or writes anew (RFC 9110, section 7.6.1), beside those that Connection names.
constexpr std::array<std::string_view, 8> not_passed_on{
    "Host", "Connection", "Proxy-Connection", "Proxy-Authorization", "Keep-Alive", "TE", "Trailer", "Upgrade"};

/// Without these the server would see another request than the proxy.
constexpr std::array<std::string_view, 3> never_dropped{"Host", "Content-Length", "Transfer-Encoding"};

template <class Names>
bool has_name(const Names& names, std::string_view wanted) {
    return std::ranges::any_of(names, [&](const auto& name) { return equal_without_case(name, wanted); });
}

std::vector<std::string_view> values_of(const Head& head, std::string_view name) {
    std::vector<std::string_view> values;
    for (const Field& field : head.fields)
        if (equal_without_case(field.name, name)) values.push_back(field.value);
    return values;
}

Refusal malformed(std::string cause) { return {400, std::move(cause), ""}; }

/// The fields that Connection names. nullopt: it names what must stay, or something that is no name.
std::optional<std::vector<std::string_view>> named_by_connection(const Head& head) {
    std::vector<std::string_view> names;
    for (std::string_view list : values_of(head, "Connection"))
        while (!list.empty()) {
            const auto comma = std::min(list.find(','), list.size());
            auto name = list.substr(0, comma);
            list.remove_prefix(std::min(list.size(), comma + 1));
            name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
            name = name.substr(0, name.find_last_not_of(" \t") + 1);
            // A list may have empty elements.
            if (name.empty()) continue;
            if (!is_token(name) || has_name(never_dropped, name)) return std::nullopt;
            names.push_back(name);
        }
    return names;
}

bool is_host_field(std::string_view value) {
    return std::ranges::none_of(value,
                                [](char c) { return c <= ' ' || c >= '\x7f' || c == ',' || c == '/' || c == '@'; });
}

std::optional<Refusal> check_host(const Head& head) {
    const auto hosts = values_of(head, "Host");
    if (hosts.size() > 1) return malformed("several Host fields");
    // It says nothing that the target does not, but servers of HTTP/1.1 must insist on it.
    if (hosts.empty() && head.version == "HTTP/1.1") return malformed("no Host field");
    if (!hosts.empty() && !is_host_field(hosts.front())) return malformed("the Host field is no host");
    return std::nullopt;
}

/// Of the two ways to say how long the content is, at most one, said once (RFC 9112, section 6.3).
std::variant<BodyMeter, Refusal> parse_framing(const Head& head) {
    const auto lengths = values_of(head, "Content-Length");
    const auto codings = values_of(head, "Transfer-Encoding");
    if (lengths.size() + codings.size() > 1)
        return malformed("the length of the content is said more than once (Content-Length, Transfer-Encoding)");
    if (!codings.empty()) {
        if (head.version != "HTTP/1.1") return malformed("HTTP/1.0 has no Transfer-Encoding");
        if (!equal_without_case(codings.front(), "chunked"))
            return Refusal{501, "this proxy knows no Transfer-Encoding but chunked", ""};
        return BodyMeter::chunked();
    }
    std::uint64_t length = 0;
    if (!lengths.empty()) {
        const auto text = lengths.front();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
        if (error != std::errc() || end != text.data() + text.size()) return malformed("Content-Length is no number");
    }
    return BodyMeter::of_length(length);
}

std::optional<socks5::UserPassword> parse_credentials(std::string_view value) {
    const auto space = value.find(' ');
    if (space == std::string_view::npos || !equal_without_case(value.substr(0, space), "Basic")) return std::nullopt;
    value.remove_prefix(std::min(value.find_first_not_of(' ', space), value.size()));
    const auto text = decode_base64(value);
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    constexpr std::size_t longest = 255; // as in SOCKS5 and in password files
    if (colon > longest || text->size() - colon - 1 > longest) return std::nullopt;
    return socks5::UserPassword{text->substr(0, colon), text->substr(colon + 1)};
}

/// For the server. The version stays the client's, although a proxy should write its own: the response goes back as it
/// is, and a client of HTTP/1.0 could not read what a server says to HTTP/1.1.
std::string head_for_server(const Head& head, const Target& target, const std::vector<std::string_view>& dropped) {
    std::string text;
    const auto add = [&](std::initializer_list<std::string_view> parts) {
        for (const auto part : parts) text += part;
        text += "\r\n";
    };
    add({head.method, " ", target.origin, " ", head.version});
    add({"Host: ", target.authority});
    for (const auto& [name, value] : head.fields)
        if (!has_name(not_passed_on, name) && !has_name(dropped, name)) add({name, ": ", value});
    add({"Via: ", head.version.substr(5), " natctl"});
    add({"Connection: close"});
    add({});
    return text;
}

/// RFC 9110, section 7.6.2 wants a proxy to count these down and to answer the last one itself.
bool counts_proxies(const Head& head) {
    return head.method == "TRACE" || (head.method == "OPTIONS" && !values_of(head, "Max-Forwards").empty());
}

std::string_view reason(unsigned status) {
    switch (status) {
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
    }
}

} // namespace

std::variant<Request, Refusal> parse_request(std::string_view bytes) {
    auto parsed = parse_head(bytes);
    if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
    const Head& head = std::get<Head>(parsed);
    if (auto refusal = check_host(head)) return *std::move(refusal);
    auto framing = parse_framing(head);
    if (auto* refusal = std::get_if<Refusal>(&framing)) return std::move(*refusal);
    const auto dropped = named_by_connection(head);
    if (!dropped) return malformed("Connection names a field that must stay, or none");
    if (counts_proxies(head))
        return Refusal{501, "this proxy passes on neither TRACE nor OPTIONS with Max-Forwards", ""};
    auto targeted = parse_target(head.method, head.target);
    if (auto* refusal = std::get_if<Refusal>(&targeted)) return std::move(*refusal);
    const auto& target = std::get<Target>(targeted);

    const auto logins = values_of(head, "Proxy-Authorization");
    if (logins.size() > 1) return malformed("several Proxy-Authorization fields");
    Request request{target.destination};
    if (!logins.empty()) request.credentials = parse_credentials(logins.front());
    request.is_connect = head.method == "CONNECT";
    request.is_head = head.method == "HEAD";
    request.body = std::get<BodyMeter>(framing);
    if (!request.is_connect)
        request.head = head_for_server(head, target, *dropped);
    else if (!request.body.is_over())
        return malformed("CONNECT has no content");
    return request;
}

std::string answer(const Refusal& refusal, bool is_head) {
    const std::string content = refusal.cause + (refusal.remedy.empty() ? "" : "; ") + refusal.remedy + '\n';
    std::string text =
        "HTTP/1.1 " + std::to_string(refusal.status) + ' ' + std::string(reason(refusal.status)) + "\r\n";
    if (refusal.status == 407) text += "Proxy-Authenticate: Basic realm=\"natctl\"\r\n";
    text += "Content-Type: text/plain; charset=utf-8\r\n";
    text += "Content-Length: " + std::to_string(content.size()) + "\r\nConnection: close\r\n\r\n";
    return is_head ? text : text + content;
}

} // namespace natctl::http
