// SPDX-License-Identifier: GPL-3.0-or-later
// Everything a client may send to natctl-agent's control socket in one line.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "agent/request.h"

using namespace natctl::control;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parsed = parse(std::string_view(reinterpret_cast<const char*>(data), size));
    if (const auto* mistake = std::get_if<std::string>(&parsed)) {
        require(!mistake->empty());
        return 0;
    }
    const auto& request = std::get<Request>(parsed);
    const bool edits = !request.add.empty() || !request.del.empty();
    require(request.what == What::whitelist || !edits);
    require(request.limit > 0 && request.limit <= most_flows);
    require(request.what == What::flows || (request.peer.empty() && request.host.empty()));
    require(request.add.empty() || request.del.empty());
    require(!request.lifetime || (!request.add.empty() && request.lifetime->count() > 0));
    return 0;
}
