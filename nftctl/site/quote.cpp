// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/quote.h"

#include <cstddef>

#include <fmt/format.h>

namespace natctl {

namespace {

void append_escaped(std::string& out, const CodePoint& point, std::string_view bytes) {
    if (!point.valid)
        out += fmt::format("\\x{:02x}", static_cast<unsigned>(point.value));
    else if (point.value == '\n')
        out += "\\n";
    else if (point.value == '\r')
        out += "\\r";
    else if (point.value == '\t')
        out += "\\t";
    else if (is_unprintable(point.value))
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(point.value));
    else
        out += bytes;
}

} // namespace

CodePoint first_code_point(std::string_view text) {
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const char32_t lead = byte(0);
    const CodePoint invalid{lead, 1, false};
    if (lead < 0x80) return {lead, 1, true};
    const unsigned length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return invalid;
    char32_t value = lead & (0x7fu >> length);
    for (unsigned i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0u) != 0x80) return invalid;
        value = value << 6 | (byte(i) & 0x3fu);
    }
    // Overlong forms, surrogates and what lies beyond Unicode (RFC 3629).
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[length] || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) return invalid;
    return {value, static_cast<std::uint8_t>(length), true};
}

bool is_unprintable(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

std::string escape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto point = first_code_point(text);
        append_escaped(out, point, text.substr(0, point.length));
        text.remove_prefix(point.length);
    }
    return out;
}

std::string quote(std::string_view text) {
    std::string out = "\"";
    for (unsigned count = 0; !text.empty(); ++count) {
        if (count == 64) return out + "...\"";
        const auto point = first_code_point(text);
        append_escaped(out, point, text.substr(0, point.length));
        text.remove_prefix(point.length);
    }
    return out + "\"";
}

} // namespace natctl
