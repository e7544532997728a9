// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_body.h"

#include <algorithm>

namespace natctl::http {

namespace {

/// Longer sizes are nobody's, and two parsers may disagree about what overflows.
constexpr std::uint8_t most_digits = 15;

int hexadecimal(std::uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

bool is_text(std::uint8_t byte) { return byte == '\t' || (byte >= 0x20 && byte != 0x7f); }

} // namespace

BodyMeter BodyMeter::of_length(std::uint64_t length) {
    BodyMeter meter;
    meter.left_ = length;
    meter.place_ = length == 0 ? Place::end : Place::data;
    return meter;
}

BodyMeter BodyMeter::chunked() {
    BodyMeter meter;
    meter.place_ = Place::size;
    meter.chunked_ = true;
    return meter;
}

std::size_t BodyMeter::take(socks5::View bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size()) {
        if (place_ != Place::data) {
            if (!step(bytes[taken])) {
                place_ = Place::end;
                break;
            }
            ++taken;
            continue;
        }
        const auto count = std::min<std::uint64_t>(left_, bytes.size() - taken);
        left_ -= count;
        taken += static_cast<std::size_t>(count);
        if (left_ == 0) place_ = chunked_ ? Place::chunk_carriage_return : Place::end;
    }
    return taken;
}

bool BodyMeter::step(std::uint8_t byte) {
    const auto expect = [&](char wanted, Place next) {
        if (byte != static_cast<std::uint8_t>(wanted)) return false;
        place_ = next;
        return true;
    };
    const auto text_up_to = [&](Place line_feed) { return expect('\r', line_feed) || is_text(byte); };
    switch (place_) {
    case Place::size: return step_size(byte);
    case Place::extension: return text_up_to(Place::size_line_feed);
    case Place::size_line_feed: digits_ = 0; return expect('\n', left_ == 0 ? Place::trailer_start : Place::data);
    case Place::chunk_carriage_return: return expect('\r', Place::chunk_line_feed);
    case Place::chunk_line_feed: return expect('\n', Place::size);
    case Place::trailer_start:
        if (expect('\r', Place::last_line_feed)) return true;
        place_ = Place::trailer;
        return is_text(byte);
    case Place::trailer: return text_up_to(Place::trailer_line_feed);
    case Place::trailer_line_feed: return expect('\n', Place::trailer_start);
    case Place::last_line_feed: return expect('\n', Place::end);
    case Place::data:
    case Place::end: break;
    }
    return false;
}

bool BodyMeter::step_size(std::uint8_t byte) {
    if (const int digit = hexadecimal(byte); digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return ++digits_ <= most_digits;
    }
    if (digits_ == 0) return false;
    if (byte == '\r') place_ = Place::size_line_feed;
    // Blanks before it are for extensions alone, and forbidden to senders.
    else if (byte == ';')
        place_ = Place::extension;
    else
        return false;
    return true;
}

} // namespace natctl::http
