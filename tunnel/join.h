// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/dial.h"

namespace natctl {

/// Passes on what each side has said already and gives both sockets to the relay. `client_body`: what the client may
/// still send after `from_client`; nullptr: anything.
asio::awaitable<void> join(Context& context, tcp::socket client, Dialed far, socks5::Bytes from_client, Endpoint source,
                           Endpoint destination, std::unique_ptr<http::BodyMeter> client_body = nullptr);

} // namespace natctl
