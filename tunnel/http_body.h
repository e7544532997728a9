// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

#include "tunnel/socks5.h"

namespace natctl::http {

/// Counts where the content of one request ends (RFC 9112, section 6 and 7.1). What a client sends behind that belongs
/// to another request, maybe for another host, and must not reach this server. Holds no bytes.
class BodyMeter {
public:
    static BodyMeter of_length(std::uint64_t length);
    static BodyMeter chunked();

    /// How many of the next bytes belong to the content. Fewer than given: what follows does not, or is no chunk; from
    /// then on nothing belongs to it.
    std::size_t take(socks5::View bytes);
    /// No further byte belongs to it.
    bool is_over() const { return place_ == Place::end; }

private:
    enum class Place : std::uint8_t {
        /// Of a known length, or of one chunk.
        data,
        size,
        extension,
        size_line_feed,
        chunk_carriage_return,
        chunk_line_feed,
        trailer_start,
        trailer,
        trailer_line_feed,
        last_line_feed,
        end,
    };

    /// Whether the byte may stand here; it is counted then.
    bool step(std::uint8_t byte);
    bool step_size(std::uint8_t byte);

    std::uint64_t left_ = 0;
    Place place_ = Place::end;
    /// Hexadecimal digits of the size so far.
    std::uint8_t digits_ = 0;
    bool chunked_ = false;
};

} // namespace natctl::http
