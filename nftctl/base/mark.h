// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <compare>
#include <cstdint>

namespace natctl {

/// A packet or connection mark under a mask: other programs own the bits outside it.
struct Mark {
    std::uint32_t value = 0;
    std::uint32_t mask = 0xffffffff;

    auto operator<=>(const Mark&) const = default;
};

/// The marks natctl uses: four neighbouring bits of the 32. The default, 0x00000f00, stays clear of Tailscale
/// (0x00ff0000), Calico (0xffff0000), Kubernetes (0x4000, 0x8000) and the 255 of Xray's samples.
class Marks {
public:
    static constexpr std::uint32_t default_mask = 0x00000f00;

    static constexpr bool valid_mask(std::uint32_t mask) { return mask != 0 && mask >> std::countr_zero(mask) == 0xf; }

    Marks() = default;
    /// mask must be valid_mask().
    explicit Marks(std::uint32_t mask) : mask_(mask) {}

    std::uint32_t mask() const { return mask_; }

    /// Packet: forwarded, to a transparent socket of the tunnel. Connection: lives in the tunnel.
    Mark tunnel() const { return mark(0x1); }
    /// Packet: sent by the tunnel itself, never intercepted.
    Mark bypass() const { return mark(0x2); }
    /// Packet: made by this machine, on its way to a transparent socket of the tunnel.
    Mark local_tunnel() const { return mark(0x3); }
    /// Packet: answer of this machine by a link. Connection: lives on an interface link.
    Mark link() const { return mark(0x4); }

    bool operator==(const Marks&) const = default;

private:
    Mark mark(std::uint32_t nibble) const { return {nibble << std::countr_zero(mask_), mask_}; }

    std::uint32_t mask_ = default_mask;
};

} // namespace natctl
