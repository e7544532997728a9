// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/drop_log.h"

#include <spdlog/spdlog.h>

namespace natctl {

std::pair<std::string_view, std::string_view> text(Drop drop) {
    switch (drop) {
    case Drop::too_large:
        return {"too large for the link", "SOCKS5 adds 10 to 22 bytes, and UDP carries no more than 65507"};
    case Drop::no_room: return {"the socket's buffer is full", "the link is slower than the sender"};
    case Drop::waiting: return {"too many wait for the proxy", "look at the proxy's log"};
    case Drop::no_association: return {"no association with the proxy", ""};
    case Drop::malformed: return {"it has no header of SOCKS5", ""};
    case Drop::fragment: return {"fragments of SOCKS5 are not supported", "turn them off in the client"};
    case Drop::stranger: return {"it comes from an address that may not send here", ""};
    case Drop::not_allowed: return {"this destination is not allowed", "`to` of [[tunnel.socks5]] allows more"};
    case Drop::failed: return {"it could not be sent", ""};
    }
    return {};
}

Drop drop_for(const std::error_code& error) {
    if (error == std::errc::message_size) return Drop::too_large;
    if (error == std::errc::resource_unavailable_try_again || error == std::errc::no_buffer_space) return Drop::no_room;
    return Drop::failed;
}

void DropLog::dropped(Drop drop, const Endpoint& from, const std::string& detail) {
    Kind& kind = kinds_[static_cast<std::size_t>(drop)];
    ++kind.count;
    const auto now = Clock::now();
    if (now < kind.next) return;
    kind.next = now + std::chrono::seconds(10);
    const auto [cause, remedy] = text(drop);
    const std::uint64_t others = kind.count - kind.logged - 1;
    kind.logged = kind.count;
    spdlog::warn("a datagram from {} was dropped: {}{}{}{}{}{}", from.text(), cause, detail.empty() ? "" : ": ", detail,
                 remedy.empty() ? "" : "; ", remedy,
                 others > 0 ? fmt::format("; {} others since the last such message", others) : "");
}

} // namespace natctl
