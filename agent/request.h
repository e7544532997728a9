// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace natctl::control {

// What is asked at the control socket; control.h says how it is answered.

/// Bytes of a request with its line break.
inline constexpr std::size_t longest_request = 65536;

enum class What : std::uint8_t {
    /// How things stand.
    status,
    /// As status, and every event from now on.
    watch,
    /// The configuration of the agent, as `natctl apply` does it.
    apply,
    /// Takes away all that is natctl's.
    down,
    /// What that would change.
    plan,
    confirm,
    rollback,
    /// The open flows.
    flows,
    /// What was added to the white list at run time, or something more or less of it.
    whitelist,
};

/// Of the answer to flows.
inline constexpr std::size_t usual_flows = 1000;
inline constexpr std::size_t most_flows = 100'000;

struct Request {
    What what = What::status;
    // Of apply:
    /// How long it is on trial; absent: it is for good.
    std::optional<std::chrono::seconds> trial = {};
    /// Another configuration than the agent's, for root alone: mistakes are shown with the lines that they are in.
    std::string config = {};
    // Of flows: which, and how many at most.
    std::string peer = {};
    std::string host = {};
    std::optional<std::uint8_t> protocol = {};
    std::optional<std::uint16_t> port = {};
    std::size_t limit = usual_flows;
    // Of whitelist: addresses, prefixes and names; not both.
    std::vector<std::string> add = {};
    /// The addresses of names among `add`, as text: the agent looks none up.
    std::map<std::string, std::vector<std::string>> names = {};
    std::vector<std::string> del = {};
    /// Of what is added. Absent: it has no end.
    std::optional<std::chrono::seconds> lifetime = {};
};

/// A request, or what is wrong with it.
std::variant<Request, std::string> parse(std::string_view line);

} // namespace natctl::control
