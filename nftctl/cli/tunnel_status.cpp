// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/tunnel_status.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/socket.h>

#include "nftctl/base/run_files.h"
#include "nftctl/cli/flow_text.h"
#include "nftctl/cli/unix_client.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

/// Seconds. It is on this machine.
constexpr int patience = 3;

std::optional<std::string> read_all(const std::string& path) {
    const auto socket = connect_to(path, patience);
    if (!socket) return std::nullopt;
    std::string text;
    std::array<char, 65536> part;
    while (true) {
        const auto count = ::recv(socket->get(), part.data(), part.size(), 0);
        if (count < 0) return std::nullopt;
        if (count == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
}

std::string line_of(const Json& traffic, const char* protocol) {
    const auto number = [&](const char* key) { return traffic.value(key, std::uint64_t{0}); };
    const auto moved = [&](const char* total, const char* rate) {
        const auto now = number(rate);
        return size_text(number(total)) + (now == 0 ? "" : " (" + size_text(now) + "/s)");
    };
    return fmt::format("{} {}: {} open, {} ended, {} there, {} back", traffic.at("way").get<std::string>(), protocol,
                       number("open"), number("ended"), moved("bytes_to_far", "bytes_to_far_per_second"),
                       moved("bytes_to_client", "bytes_to_client_per_second"));
}

std::string line_of_proxy(const Json& proxy) {
    const auto name = proxy.at("socks5").get<std::string>();
    const auto seconds = proxy.at("seconds").get<std::uint64_t>();
    if (proxy.at("up").get<bool>()) return fmt::format("socks5 {} answers, since {} s", name, seconds);
    return fmt::format("socks5 {} is down since {} s: {}", name, seconds, proxy.at("cause").get<std::string>());
}

} // namespace

std::optional<Json> read_tunnel_status(const std::string& run_dir) {
    const auto text = read_all(run_dir + "/" + run_files::tunnel_status);
    if (!text) return std::nullopt;
    auto status = Json::parse(*text, nullptr, false);
    if (!status.is_object() || status.value("version", 0) != 1) return std::nullopt;
    return status;
}

std::vector<std::string> tunnel_lines(const Json& status) {
    std::vector<std::string> lines;
    for (const auto& proxy : status.at("proxies")) lines.push_back(line_of_proxy(proxy));
    for (const auto& traffic : status.at("tcp")) lines.push_back(line_of(traffic, "TCP"));
    for (const auto& traffic : status.at("udp")) lines.push_back(line_of(traffic, "UDP"));
    for (const auto& drop : status.value("drops", Json::array()))
        lines.push_back(fmt::format("{} datagrams dropped: {}", drop.at("count").get<std::uint64_t>(),
                                    drop.at("cause").get<std::string>()));
    // The worst first.
    std::vector<Json> failures(status.at("failures").begin(), status.at("failures").end());
    std::ranges::stable_sort(failures, std::greater{},
                             [](const Json& item) { return item.at("count").get<std::uint64_t>(); });
    constexpr std::size_t most = 5;
    for (std::size_t i = 0; i < failures.size() && i < most; ++i) {
        const auto way = failures[i].at("way").get<std::string>();
        lines.push_back(fmt::format("{} failed{}{}: {}", failures[i].at("count").get<std::uint64_t>(),
                                    way.empty() ? "" : ", ", way, failures[i].at("cause").get<std::string>()));
    }
    return lines;
}

} // namespace natctl
