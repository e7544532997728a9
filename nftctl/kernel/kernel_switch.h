// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <utility>

#include "nftctl/base/fd.h"

namespace natctl {

/// A file of /proc/sys that holds a number, and is kept open: to find it takes ten times as long as to read it. One of
/// /proc/sys/net is that of the network namespace that the thread was in when it was found.
class KernelSwitch {
public:
    explicit KernelSwitch(std::string path) : path_(std::move(path)) {}

    /// Whether it is not 0. False also where there is none: without IPv6 in the kernel nothing is forwarded.
    bool is_on();

private:
    std::string path_;
    Fd file_;
};

} // namespace natctl
