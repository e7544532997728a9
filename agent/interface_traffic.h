// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace natctl {

/// Bytes since the interface came.
struct InterfaceTraffic {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    bool operator==(const InterfaceTraffic&) const = default;
};

/// By name.
using TrafficByInterface = std::map<std::string, InterfaceTraffic>;

/// `text`: /proc/net/dev (dev_seq_show in net/core/net-procfs.c). Lines of another form are passed over.
TrafficByInterface parse_interface_traffic(std::string_view text);

/// Of this program's network namespace; empty where /proc is missing.
TrafficByInterface read_interface_traffic();

} // namespace natctl
