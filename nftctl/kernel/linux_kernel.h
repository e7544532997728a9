// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nftctl/kernel/kernel.h"

namespace natctl {

/// The kernel of the network namespace that the calling thread is in now; the object stays bound to that namespace.
/// Needs CAP_NET_ADMIN for commit() and for reading tables. Not safe for use by two threads at once.
/// `endpoints` go into the facts as they are; `white_now` is asked whenever they are read.
std::unique_ptr<Kernel> make_linux_kernel(std::map<std::string, std::vector<Address>> endpoints = {},
                                          std::function<std::vector<RunTimeEntry>()> white_now = {});

} // namespace natctl
