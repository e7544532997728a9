// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey agent_keys[] = {
    {"http", "an address of loopback with a port, the path of a Unix socket, or a list of them",
     R"(http = "127.0.0.1:9117")"},
    {"page", "a boolean", "page = true"},
    {"own_table", "a boolean", "own_table = true"},
};

/// Bytes: 108 with the end (unix(7)), and the socket is made under another name first, with ".new" behind it.
constexpr std::size_t longest_path = 108 - sizeof ".new";

std::optional<HttpListener> read_http(const PlacedText& given, Diagnostics& diagnostics) {
    const auto& [text, at] = given;
    if (text.starts_with('/')) {
        if (!read_path(text, at, diagnostics)) return std::nullopt;
        if (text.size() <= longest_path) return HttpListener{std::string(text), at};
        diagnostics.error(at,
                          fmt::format("{} is too long for a socket: it has {} bytes, of at most {}", quote(text),
                                      text.size(), longest_path),
                          R"(write a shorter path: "/run/natctl/http.sock")");
        return std::nullopt;
    }
    const auto endpoint = read_endpoint(text, at, diagnostics);
    if (!endpoint) return std::nullopt;
    if (endpoint->address.is_loopback()) return HttpListener{*endpoint, at};
    diagnostics.error(at, fmt::format("{} is not on loopback: others could read what the agent shows", text),
                      R"(write "127.0.0.1:9117" or "[::1]:9117", and come by SSH: ssh -L 9117:127.0.0.1:9117 ROUTER)");
    return std::nullopt;
}

} // namespace

AgentSettings parse_agent(const toml::table& table, Diagnostics& diagnostics) {
    const TableReader reader(table, "[agent]", agent_keys, diagnostics);
    AgentSettings agent;
    for (const auto& text : reader.texts("http"))
        if (auto listener = read_http(text, diagnostics)) agent.http.push_back(*std::move(listener));
    agent.own_table = reader.boolean("own_table").value_or(false);
    agent.page = reader.boolean("page").value_or(false);
    if (agent.page && !reader.has("http"))
        diagnostics.error(begin_of(reader.find("page")->source()), "nothing says where the page is to be shown",
                          R"(add http = "127.0.0.1:9117")");
    return agent;
}

} // namespace natctl
