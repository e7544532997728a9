// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/join.h"

#include <utility>

#include "tunnel/message.h"

namespace natctl {

asio::awaitable<void> join(Context& context, tcp::socket client, Dialed far, socks5::Bytes from_client, Endpoint source,
                           Endpoint destination, std::unique_ptr<http::BodyMeter> client_body) {
    // Both fit into the empty buffers of new sockets: neither write has to wait for the other.
    std::error_code error;
    if (!from_client.empty()) error = co_await send(far.socket, from_client);
    if (!error && !far.early.empty()) error = co_await send(client, far.early);
    FlowStart start{.client = release(client),
                    .far = release(far.socket),
                    .success_is_formal = far.success_is_formal,
                    .bytes_to_far = from_client.size(),
                    .bytes_to_client = far.early.size(),
                    .source = source,
                    .destination = destination,
                    .link = std::move(far.link),
                    .client_body = std::move(client_body)};
    if (error || !start.client || !start.far) {
        for (const Fd* side : {&start.client, &start.far})
            if (*side) reset_on_close(side->get());
        co_return;
    }
    context.relay.add(std::move(start));
}

} // namespace natctl
