// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "nftctl/base/address.h"

/// The two ends of what the benchmark measures. Each prints its result as a line of JSON.
namespace natctl::bench {

/// Servers on so many ports from `port` on, of which one repeats what it is told and the other takes everything and
/// says nothing. They end with the process.
void echo(std::uint16_t port, unsigned ports);
void sink(std::uint16_t port);

/// Keeps `at_once` flows going for `seconds`: each connects, says a byte, hears one, and closes. The ports of the
/// server take turns.
void flows(const Endpoint& server, unsigned ports, std::size_t at_once, double seconds);

/// Opens `count` flows that have said and heard a byte, says "ready", and keeps them until standard input ends.
void hold(const Endpoint& server, std::size_t count);

/// Sends as fast as it goes for `seconds` by so many connections, which a SOCKS5 proxy makes when there is one.
void bulk(const std::optional<Endpoint>& proxy, const Endpoint& server, std::size_t streams, double seconds);

/// From one descriptor, a connected UDP socket, to another one: `rate` datagrams of `size` bytes a second, 0: as fast
/// as it goes.
void udp(int sender, int receiver, std::size_t size, double rate, double seconds);

} // namespace natctl::bench
