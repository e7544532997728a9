// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/constant_time.h"

#include <cassert>
#include <cstddef>

namespace natctl {

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    constexpr std::size_t longest = 255;
    assert(a.size() <= longest && b.size() <= longest);
    // volatile: the compiler may not stop early once a difference is seen.
    volatile std::size_t difference = a.size() ^ b.size();
    for (std::size_t i = 0; i < longest; ++i) {
        const auto left = static_cast<unsigned char>(i < a.size() ? a[i] : '\0');
        const auto right = static_cast<unsigned char>(i < b.size() ? b[i] : '\0');
        difference = difference | static_cast<std::size_t>(left ^ right);
    }
    return difference == 0;
}

bool matches(const socks5::UserPassword& expected, const socks5::UserPassword& given) {
    const bool user = equal_in_constant_time(expected.user, given.user);
    const bool password = equal_in_constant_time(expected.password, given.password);
    return user & password;
}

} // namespace natctl
