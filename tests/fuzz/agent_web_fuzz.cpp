// SPDX-License-Identifier: GPL-3.0-or-later
// Everything a client may send to natctl-agent by HTTP.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "agent/web_request.h"

using namespace natctl::web;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto parsed = parse(bytes);
    if (std::holds_alternative<Unfinished>(parsed)) {
        require(size < longest_request);
        return 0;
    }
    // What comes later changes nothing.
    const auto longer = parse(std::string(bytes) + "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    require(longer.index() == parsed.index());
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
        require(refusal->status >= 400 && !refusal->cause.empty());
        require(to_bytes(*refusal, true).ends_with("\r\n\r\n"));
        return 0;
    }
    const auto& request = std::get<Request>(parsed);
    require(request.path.starts_with('/') && request.path.find('?') == std::string::npos);
    // No answer repeats what was asked.
    if (const auto refusal = objection(request))
        require(refusal->status >= 400);
    else
        require(!request.host.empty());
    return 0;
}
