// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tunnel/socks5.h"

/// The side of HTTP/1.1 that a proxy reads and writes (RFC 9110, RFC 9112), as values and as bytes. It is stricter than
/// it must be: what two parsers could take for two things is refused.
namespace natctl::http {

/// Bytes of a request's head.
inline constexpr std::size_t max_head = std::size_t{16} << 10;

/// Finds the end of a head in a stream that arrives in pieces; looks at each byte once.
class HeadScanner {
public:
    enum class State : std::uint8_t {
        incomplete,
        done,
        /// A line feed or carriage return alone, NUL, another control character, or no method at the start.
        malformed,
        too_large,
    };

    /// `bytes`: all that came so far, of which the former calls saw the beginning.
    State scan(socks5::View bytes);
    /// When done: the bytes up to the empty line, that one included.
    std::size_t size() const { return position_; }

private:
    bool accept(std::uint8_t byte);

    std::size_t position_ = 0;
    std::size_t line_length_ = 0;
    bool after_carriage_return_ = false;
    State state_ = State::incomplete;
};

/// An answer that ends the connection: a status of RFC 9110, what happened and the way out (may be empty).
struct Refusal {
    unsigned status = 0;
    std::string cause;
    std::string remedy;
    bool operator==(const Refusal&) const = default;
};

struct Field {
    std::string_view name;
    /// Without the blanks around it.
    std::string_view value;
};

struct Head {
    std::string_view method;
    std::string_view target;
    /// HTTP/1.0 or HTTP/1.1.
    std::string_view version;
    std::vector<Field> fields;
};

/// `bytes` are what the scanner found; the head's views are into them.
std::variant<Head, Refusal> parse_head(std::string_view bytes);

} // namespace natctl::http
