// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/drop_log.h"

#include <spdlog/spdlog.h>

namespace natctl {

namespace {

void say(const char* what, const std::string& from, Drop drop, const std::string& detail, std::uint64_t others) {
    const auto [cause, remedy] = text(drop);
    spdlog::warn("{} from {} was dropped: {}{}{}{}{}{}", what, from, cause, detail.empty() ? "" : ": ", detail,
                 remedy.empty() ? "" : "; ", remedy,
                 others > 0 ? fmt::format("; {} others since the last such message", others) : "");
}

} // namespace

std::pair<std::string_view, std::string_view> text(Drop drop) {
    switch (drop) {
    case Drop::too_large:
        return {"too large for the link",
                "SOCKS5 adds 10 to 22 bytes, and UDP carries 65507, or 65527 to a proxy by IPv6"};
    case Drop::no_room: return {"the socket's buffer is full", "the link is slower than the sender"};
    case Drop::waiting: return {"too many wait for the proxy", "look at the proxy's log"};
    case Drop::no_association: return {"no association with the proxy", ""};
    case Drop::malformed: return {"it has no header of SOCKS5", ""};
    case Drop::fragment: return {"fragments of SOCKS5 are not supported", "turn them off in the client"};
    case Drop::stranger: return {"it comes from an address that may not send here", ""};
    case Drop::not_allowed: return {"this destination is not allowed", "`to` of [[tunnel.socks5]] allows more"};
    case Drop::not_carried:
        return {"the map does not list the embedded address", "`real` of its [[map]] says what is reached"};
    case Drop::too_many: return {"too many of them come at once", ""};
    case Drop::failed: return {"it could not be sent", ""};
    }
    return {};
}

Drop drop_for(const std::error_code& error) {
    if (error == std::errc::message_size) return Drop::too_large;
    if (error == std::errc::resource_unavailable_try_again || error == std::errc::no_buffer_space) return Drop::no_room;
    return Drop::failed;
}

DropCounts DropLog::counts() const {
    DropCounts counts;
    for (std::size_t i = 0; i < kinds_.size(); ++i)
        if (kinds_[i].count > 0) counts[std::string(text(static_cast<Drop>(i)).first)] += kinds_[i].count;
    return counts;
}

std::optional<std::uint64_t> DropLog::note(Drop drop) {
    Kind& kind = kinds_[static_cast<std::size_t>(drop)];
    ++kind.count;
    const auto now = Clock::now();
    if (now < kind.next) return std::nullopt;
    kind.next = now + std::chrono::seconds(10);
    const std::uint64_t others = kind.count - kind.logged - 1;
    kind.logged = kind.count;
    return others;
}

void DropLog::dropped(Drop drop, const Endpoint& from, const std::string& detail) {
    if (const auto others = note(drop)) say("a datagram", from.text(), drop, detail, *others);
}

void DropLog::dropped_echo(Drop drop, const Address& asker, const std::string& detail) {
    if (const auto others = note(drop)) say("an echo request", asker.text(), drop, detail, *others);
}

} // namespace natctl
