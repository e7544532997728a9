// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/kernel_switch.h"

#include <array>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

namespace natctl {

bool KernelSwitch::is_on() {
    if (!file_) file_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 32> text{};
    const auto size = ::pread(file_.get(), text.data(), text.size(), 0);
    int value = 0;
    if (size > 0) std::from_chars(text.data(), text.data() + size, value);
    return value != 0;
}

} // namespace natctl
