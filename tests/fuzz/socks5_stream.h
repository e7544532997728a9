// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <cstdlib>

#include "tunnel/socks5.h"

namespace natctl::socks5 {

/// Stops the fuzzer also where assert() is compiled out.
inline void require(bool condition) {
    if (!condition) std::abort();
}

/// Parses the next message of a stream, which arrives in any pieces: every shorter beginning must be incomplete, or be
/// malformed just as the whole is. Done messages are taken off the stream.
template <class T>
Parsed<T> next_message(View& stream, Parsed<T> (*parse)(View)) {
    for (std::size_t size = 0; size <= stream.size(); ++size) {
        const auto parsed = parse(stream.first(size));
        require(!(parsed.done() && parsed.is_malformed()));
        if (parsed.is_malformed()) {
            require(parse(stream).is_malformed());
            return parsed;
        }
        if (!parsed.done()) continue;
        require(parsed.used() <= size);
        stream = stream.subspan(parsed.used());
        return parsed;
    }
    // No message is longer, so nobody can make a session keep more.
    require(stream.size() < 515);
    return Parsed<T>::incomplete();
}

} // namespace natctl::socks5
