// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "nftctl/kernel/nftnl_ptr.h"

namespace natctl {

/// Reads the attributes (NFTNL_EXPR_*) of one expression, which has to outlive this. What is absent reads as 0 or
/// nothing: libnftnl's own getters follow null pointers there.
class ExpressionAttributes {
public:
    explicit ExpressionAttributes(const nftnl_expr& handle) : handle_(handle) {}

    bool has(std::uint16_t attribute) const { return nftnl_expr_is_set(&handle_, attribute); }
    std::uint32_t u32(std::uint16_t attribute) const {
        return has(attribute) ? nftnl_expr_get_u32(&handle_, attribute) : 0;
    }
    std::uint8_t u8(std::uint16_t attribute) const {
        return has(attribute) ? nftnl_expr_get_u8(&handle_, attribute) : 0;
    }
    std::string text(std::uint16_t attribute) const {
        const char* const found = has(attribute) ? nftnl_expr_get_str(&handle_, attribute) : nullptr;
        return found != nullptr ? found : "";
    }
    std::span<const std::uint8_t> data(std::uint16_t attribute) const {
        std::uint32_t size = 0;
        const void* const found = has(attribute) ? nftnl_expr_get(&handle_, attribute, &size) : nullptr;
        if (found == nullptr) return {};
        return {static_cast<const std::uint8_t*>(found), size};
    }

private:
    const nftnl_expr& handle_;
};

} // namespace natctl
