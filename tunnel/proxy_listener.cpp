// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/proxy_listener.h"

#include <string>
#include <utility>

#include "tunnel/http_server.h"
#include "tunnel/socks5_server.h"

namespace natctl {

asio::awaitable<void> serve_proxy(Context& context, tcp::socket socket, Endpoint listen) {
    const auto settings = context.settings;
    const Listener* listener = settings->listener_at(listen);
    std::error_code error;
    const Endpoint source = from_asio(socket.remote_endpoint(error));
    if (error || !listener) co_return;
    if (!listener->access.admits(source.address)) {
        context.log.failed(source, "", "listener " + listen.text(), "this source may not connect",
                           std::string("`allow` of ") + title_of(listener->protocol) + " admits sources");
        reset(socket);
        co_return;
    }
    tune(socket);
    ProxyClient client{std::move(socket), source, settings, listener};
    switch (listener->protocol) {
    case ProxyProtocol::socks5: co_return co_await serve_socks5(context, std::move(client));
    case ProxyProtocol::http: co_return co_await serve_http(context, std::move(client));
    }
}

} // namespace natctl
