// SPDX-License-Identifier: GPL-3.0-or-later
// Everything a client may send to our server: greeting, user and password, request. The first byte says whether the
// server wants a password.
#include "nftctl/site/site.h"
#include "socks5_stream.h"
#include "tunnel/access.h"
#include "tunnel/constant_time.h"

using namespace natctl;
using namespace natctl::socks5;

namespace {

Access make_access() {
    Site site;
    site.name = "a";
    site.maps.push_back({*Prefix::parse("240.1.1.0/24"), *Prefix::parse("192.168.1.0/24"), "", {}});
    site.maps.push_back({*Prefix::parse("240.1.1.200"), *Prefix::parse("10.10.10.7"), "printer", {}});
    ProxyListener listener;
    listener.listen = *Endpoint::parse("198.51.100.1:1080");
    site.tunnel.listeners = {listener};
    return {std::make_shared<const Directory>(site), listener};
}

/// A listener for peers goes to the own virtual addresses, whatever form the request has.
void check_access(const Destination& destination) {
    static const Access access = make_access();
    static const Prefix own = *Prefix::parse("240.1.1.0/24");
    const Decision decision = access.decide(destination);
    if (decision.kind == Decision::Kind::refuse) return;
    require(decision.kind == Decision::Kind::direct);
    require(decision.destination.address() != nullptr && own.contains(*decision.destination.address()));
    require(decision.destination.port == destination.port && destination.port != 0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool with_password = data[0] % 2 != 0;
    View stream(data + 1, size - 1);
    if (!next_message(stream, parse_greeting).done()) return 0;
    if (with_password) {
        const auto given = next_message(stream, parse_user_password);
        if (!given.done()) return 0;
        require(given.value().user.size() <= 255 && given.value().password.size() <= 255);
        require(matches(given.value(), given.value()));
        if (!given.value().user.empty() && !given.value().password.empty())
            require(parse_user_password(user_password(given.value())).value() == given.value());
    }
    const auto message = next_message(stream, parse_request);
    if (!message.done() || !message.value().destination) return 0;
    const Destination& destination = *message.value().destination;
    for (const char c : destination.text()) require(c > ' ' && c < 0x7f);
    check_access(destination);
    if (destination.name() && destination.name()->empty()) return 0;
    const auto again = parse_request(request(static_cast<Command>(message.value().command), destination));
    require(again.done() && again.value() == message.value());
    return 0;
}
