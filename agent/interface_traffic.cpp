// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/interface_traffic.h"

#include <array>
#include <fstream>
#include <iterator>
#include <sstream>

namespace natctl {

TrafficByInterface parse_interface_traffic(std::string_view text) {
    TrafficByInterface traffic;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        // Names have no colon but that of an alias, and those are not listed.
        const auto colon = line.rfind(':');
        if (colon == std::string::npos) continue;
        const auto name = line.substr(0, colon);
        const auto begin = name.find_first_not_of(' ');
        // Bytes stand first and ninth.
        std::array<std::uint64_t, 9> numbers{};
        std::istringstream words(line.substr(colon + 1));
        for (auto& number : numbers) words >> number;
        if (words && begin != std::string::npos) traffic[name.substr(begin)] = {numbers[0], numbers[8]};
    }
    return traffic;
}

TrafficByInterface read_interface_traffic() {
    std::ifstream file("/proc/net/dev");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return parse_interface_traffic(text);
}

} // namespace natctl
