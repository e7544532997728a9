// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace natctl {

/// FNV-1a of 128 bits. It tells our own things apart, not those that somebody makes alike on purpose.
class Fingerprint {
public:
    void add(std::span<const std::uint8_t> bytes);
    void add(std::string_view text);

    std::array<std::uint8_t, 16> bytes() const;

private:
    __extension__ using Number = unsigned __int128;
    static constexpr Number prime = (Number(1) << 88) + 0x13b;
    Number value_ = (Number(0x6c62272e07bb0142) << 64) + 0x62b821756295c58d;
};

} // namespace natctl
