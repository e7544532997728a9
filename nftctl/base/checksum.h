// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace natctl {

/// The one's complement sum of RFC 1071 over several pieces, each but the last of even length.
class InternetChecksum {
public:
    InternetChecksum& add(std::span<const std::uint8_t> bytes) {
        std::size_t i = 0;
        for (; i + 1 < bytes.size(); i += 2) sum_ += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
        if (i < bytes.size()) sum_ += static_cast<std::uint32_t>(bytes[i] << 8);
        return *this;
    }
    InternetChecksum& add(std::uint16_t word) {
        sum_ += word;
        return *this;
    }
    /// Host order.
    std::uint16_t value() const {
        std::uint64_t sum = sum_;
        while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<std::uint16_t>(~sum & 0xffff);
    }

private:
    std::uint64_t sum_ = 0;
};

} // namespace natctl
