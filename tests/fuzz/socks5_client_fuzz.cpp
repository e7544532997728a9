// SPDX-License-Identifier: GPL-3.0-or-later
// Everything a proxy may answer to our client: method, status, reply. The first byte says whether we have a password.
#include "socks5_stream.h"

using namespace natctl::socks5;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool with_password = data[0] % 2 != 0;
    View stream(data + 1, size - 1);
    const auto method = next_message(stream, parse_method_choice);
    if (!method.done()) return 0;
    if (method.value() == static_cast<std::uint8_t>(Method::user_password)) {
        if (!with_password || !next_message(stream, parse_user_password_status).done()) return 0;
    } else if (method.value() != static_cast<std::uint8_t>(Method::none)) {
        return 0;
    }
    const auto message = next_message(stream, parse_reply);
    if (!message.done()) return 0;
    require(!text(message.value().reply).empty());
    for (const char c : message.value().bound.text()) require(c > ' ' && c < 0x7f);
    return 0;
}
