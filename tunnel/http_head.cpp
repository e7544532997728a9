// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_head.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "nftctl/base/http_text.h"

namespace natctl::http {

namespace {

Refusal malformed(std::string cause) { return {400, std::move(cause), ""}; }

std::optional<Refusal> parse_request_line(std::string_view line, Head& head) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == last) return malformed("the request line is not METHOD TARGET VERSION");
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    head.version = line.substr(last + 1);
    if (!is_token(head.method)) return malformed("the method is no token");
    // Beyond ASCII and blanks: servers differ in what they take for the end.
    const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
    if (head.target.empty() || !std::ranges::all_of(head.target, is_visible))
        return Refusal{400, "the target holds blanks or characters beyond ASCII", "write them as %XX"};
    if (head.version == "HTTP/1.1" || head.version == "HTTP/1.0") return std::nullopt;
    if (head.version.starts_with("HTTP/")) return Refusal{505, "the proxy speaks HTTP/1.1 and HTTP/1.0", ""};
    return malformed("the request line does not end in a version");
}

std::optional<Refusal> parse_field(std::string_view line, Head& head) {
    // Before the colon test, as a folded line may hold one.
    if (line.starts_with(' ') || line.starts_with('\t')) return malformed("a folded header field");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
        return malformed("a header field is not NAME: VALUE, without blanks before the colon");
    head.fields.push_back({line.substr(0, colon), trimmed(line.substr(colon + 1))});
    return std::nullopt;
}

} // namespace

HeadScanner::State HeadScanner::scan(socks5::View bytes) {
    while (state_ == State::incomplete && position_ < bytes.size()) {
        const bool was_empty = line_length_ == 0;
        const std::uint8_t byte = bytes[position_++];
        if (!accept(byte))
            state_ = State::malformed;
        else if (byte == '\n' && was_empty)
            state_ = State::done;
        else if (position_ == max_head)
            state_ = State::too_large;
    }
    return state_;
}

bool HeadScanner::accept(std::uint8_t byte) {
    if (after_carriage_return_ != (byte == '\n')) return false;
    after_carriage_return_ = byte == '\r';
    if (byte == '\n')
        line_length_ = 0;
    else if (byte != '\r')
        ++line_length_;
    // The first byte tells other protocols: a method is letters in practice.
    if (position_ == 1) return is_token_character(static_cast<char>(byte));
    return byte == '\r' || byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::variant<Head, Refusal> parse_head(std::string_view bytes) {
    Head head;
    if (auto refusal = parse_request_line(take_line(bytes), head)) return *std::move(refusal);
    while (!bytes.empty()) {
        const auto line = take_line(bytes);
        if (line.empty()) break;
        if (auto refusal = parse_field(line, head)) return *std::move(refusal);
    }
    return head;
}

} // namespace natctl::http
