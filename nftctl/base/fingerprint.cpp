// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/fingerprint.h"

namespace natctl {

void Fingerprint::add(std::span<const std::uint8_t> bytes) {
    for (const auto byte : bytes) value_ = (value_ ^ byte) * prime;
    // So that parts do not run into each other.
    value_ = (value_ ^ bytes.size()) * prime;
}

void Fingerprint::add(std::string_view text) {
    add(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::array<std::uint8_t, 16> Fingerprint::bytes() const {
    std::array<std::uint8_t, 16> bytes{};
    for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value_ >> (120 - 8 * i));
    return bytes;
}

} // namespace natctl
