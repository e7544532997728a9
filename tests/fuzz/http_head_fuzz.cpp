// SPDX-License-Identifier: GPL-3.0-or-later
// Everything a client may send to the HTTP proxy: a head, and the content of the request behind it. What goes to the
// server must be one request and no more, to every parser.
#include <algorithm>
#include <string>
#include <string_view>

#include "nftctl/base/http_text.h"
#include "socks5_stream.h"
#include "tunnel/http_request.h"

using namespace natctl;
using namespace natctl::http;
using socks5::require;
using socks5::View;

namespace {

View view(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::size_t count_fields(const Head& head, std::string_view name) {
    return static_cast<std::size_t>(
        std::ranges::count_if(head.fields, [&](const Field& field) { return equal_without_case(field.name, name); }));
}

/// The head for the server, read again.
void check_head(const Request& request) {
    HeadScanner scanner;
    require(scanner.scan(view(request.head)) == HeadScanner::State::done || request.head.size() > max_head);
    require(request.head.size() > max_head || scanner.size() == request.head.size());
    const auto parsed = parse_head(request.head);
    require(std::holds_alternative<Head>(parsed));
    const Head& head = std::get<Head>(parsed);
    require(head.target.starts_with('/') || head.target == "*");
    require(count_fields(head, "Host") == 1 && count_fields(head, "Connection") == 1);
    require(count_fields(head, "Content-Length") + count_fields(head, "Transfer-Encoding") <= 1);
    for (const char* name : {"Proxy-Authorization", "Proxy-Connection", "Upgrade", "TE", "Keep-Alive"})
        require(count_fields(head, name) == 0);
    for (const char c : request.destination.text()) require(c > ' ' && c < 0x7f);
}

/// The same bytes belong to the content, however they come.
void check_body(const Request& request, View bytes) {
    BodyMeter at_once = request.body;
    BodyMeter slow = request.body;
    const std::size_t taken = at_once.take(bytes);
    require(taken <= bytes.size());
    std::size_t one_by_one = 0;
    while (one_by_one < bytes.size() && slow.take(bytes.subspan(one_by_one, 1)) == 1) ++one_by_one;
    require(one_by_one == taken && at_once.is_over() == slow.is_over());
    require(taken == bytes.size() || at_once.is_over());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes(data, size);
    HeadScanner scanner;
    const auto state = scanner.scan(bytes);
    HeadScanner slow;
    for (std::size_t count = 0; count <= size; ++count) slow.scan(bytes.first(count));
    require(slow.scan(bytes) == state && slow.size() == scanner.size());
    require(scanner.size() <= std::min(size, max_head));
    if (state != HeadScanner::State::done) return 0;
    const auto parsed = parse_request(std::string(data, data + scanner.size()));
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
        const std::string text = answer(*refusal);
        require(text.starts_with("HTTP/1.1 ") && refusal->status >= 400 && refusal->status < 600);
        return 0;
    }
    const auto& request = std::get<Request>(parsed);
    require(request.destination.port != 0 && request.is_connect == request.head.empty());
    if (!request.is_connect) check_head(request);
    check_body(request, bytes.subspan(scanner.size()));
    return 0;
}
