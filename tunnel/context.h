// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include <asio/any_io_executor.hpp>

#include "tunnel/datagram_context.h"
#include "tunnel/deadlines.h"
#include "tunnel/flow_log.h"
#include "tunnel/relay.h"
#include "tunnel/settings.h"
#include "tunnel/warm_connections.h"

namespace natctl {

/// What the flows of one thread share. Sessions hold a reference to it and their own pointer to the settings.
struct Context {
    asio::any_io_executor executor;
    std::shared_ptr<const Settings> settings;
    /// Clients that have not yet said who they are and what they want.
    Deadlines& strangers;
    /// Connections that are being made.
    Deadlines& attempts;
    WarmConnections& warm;
    Relay& relay;
    FlowLog& log;
    DatagramContext& datagrams;
};

} // namespace natctl
