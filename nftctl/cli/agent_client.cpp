// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/agent_client.h"

#include <array>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>
#include <sys/socket.h>

#include "nftctl/base/run_files.h"
#include "nftctl/cli/unix_client.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

std::string duration_text(std::uint64_t seconds) {
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
    if (seconds < 2 * 86400) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} days", seconds / 86400);
}

std::string name_line(const Json& name) {
    std::string addresses;
    for (const auto& address : name.at("addresses"))
        addresses += (addresses.empty() ? "" : ", ") + address.get<std::string>();
    auto line =
        fmt::format("name {} is {}", name.at("name").get<std::string>(), addresses.empty() ? "unknown" : addresses);
    if (const auto& failure = name.at("failure"); failure.is_string())
        line += "; it does not resolve now: " + failure.get<std::string>();
    return line;
}

std::string program_line(const Json& program) {
    const auto name = program.at("name").get<std::string>();
    const auto& process = program.at("process");
    auto line = process.is_number() ? fmt::format("runs {} (process {})", name, process.get<std::int64_t>())
                                    : fmt::format("is to run {}, which does not stay up", name);
    if (const auto restarts = program.at("restarts").get<std::uint64_t>(); restarts != 0)
        line += fmt::format("; it ended by itself {} times", restarts);
    return line;
}

/// Empty: all is as one expects.
std::string link_line(const Json& link) {
    const auto standing = link.at("standing").get<std::string>();
    if (!link.at("seconds").is_number() && standing != "down") return {};
    auto line =
        fmt::format("link  to {} by {}: {}", link.at("peer").get<std::string>(), link.at("link").get<std::string>(),
                    standing == "held" ? "up again, not used yet" : standing);
    if (const auto& since = link.at("seconds"); since.is_number())
        line += fmt::format(", {} for {}", standing == "down" ? "has failed" : "has worked",
                            duration_text(since.get<std::uint64_t>()));
    if (const auto& cause = link.at("cause"); cause.is_string()) line += ": " + cause.get<std::string>();
    return line;
}

std::string http_line(const Json& listener) {
    if (const auto& failure = listener.at("failure"); failure.is_string()) return failure.get<std::string>();
    const auto listen = listener.at("listen").get<std::string>();
    return "shows itself at " + (listen.starts_with('/') ? listen : "http://" + listen);
}

} // namespace

std::optional<AgentClient> AgentClient::connect(const std::string& run_dir) {
    auto socket = connect_to(run_dir + "/" + run_files::agent_socket, for_words);
    if (!socket) return std::nullopt;
    AgentClient client(*std::move(socket));
    const auto hello = client.read_line();
    if (!hello || hello->value("program", "") != "natctl-agent" || hello->value("version", 0) != 1) return std::nullopt;
    client.config_ = hello->value("config", "");
    client.state_dir_ = hello->value("state_dir", "");
    return client;
}

std::optional<Json> AgentClient::read_line() {
    std::array<char, 65536> part;
    std::size_t end = 0;
    while ((end = in_.find('\n')) == std::string::npos) {
        const auto count = ::recv(socket_.get(), part.data(), part.size(), 0);
        if (count <= 0) return std::nullopt;
        in_.append(part.data(), static_cast<std::size_t>(count));
    }
    auto json = Json::parse(std::string_view(in_).substr(0, end), nullptr, false);
    in_.erase(0, end + 1);
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
}

std::optional<Json> AgentClient::ask(const Json& request, int patience) {
    set_patience(socket_, patience);
    const auto line = request.dump() + "\n";
    if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
        return std::nullopt;
    return read_line();
}

std::optional<Json> AgentClient::wait() {
    set_patience(socket_, 0);
    return read_line();
}

std::vector<std::string> agent_lines(const Json& status) {
    const auto count = [&](const char* key) { return status.at(key).get<std::uint64_t>(); };
    std::vector<std::string> lines;
    lines.push_back(fmt::format("keeps it up since {}: {} looks, {} changes, {} of them put back what others took",
                                duration_text(count("seconds")), count("looks"), count("changes"), count("repairs")));
    if (status.at("fighting").get<bool>())
        lines.emplace_back("another program undoes its work again and again: the log names it");
    if (const auto& failure = status.at("failure"); failure.is_string())
        lines.push_back("cannot do its work: " + failure.get<std::string>());
    for (const auto& program : status.value("programs", Json::array())) lines.push_back(program_line(program));
    for (const auto& link : status.value("links", Json::array()))
        if (auto line = link_line(link); !line.empty()) lines.push_back(std::move(line));
    for (const auto& listener : status.value("http", Json::array())) lines.push_back(http_line(listener));
    for (const auto& name : status.at("names")) lines.push_back(name_line(name));
    return lines;
}

std::string event_line(const Json& event) {
    const auto word = [&](const char* key) { return event.at(key).get<std::string>(); };
    return fmt::format("{} {}: {}", word("time"), word("weight"), word("text"));
}

} // namespace natctl
