// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/proxy_listener.h"

namespace natctl {

/// A client that speaks HTTP to a proxy: CONNECT, or one request for http://. As serve_socks5() it dials nothing before
/// all has been checked. A connection is one request: what follows it is refused, so that nothing meant for another
/// host, and no header field of a second request, gets to this one.
asio::awaitable<void> serve_http(Context& context, ProxyClient client);

} // namespace natctl
