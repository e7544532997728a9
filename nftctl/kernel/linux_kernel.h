// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nftctl/kernel/kernel.h"

namespace natctl {

/// The kernel of the network namespace that the calling thread is in now; the object stays bound to that namespace.
/// Needs CAP_NET_ADMIN for commit() and for reading tables. Not safe for use by two threads at once.
/// `endpoints` go into the facts as they are. It remembers in `run_dir`; without one it remembers nothing.
std::unique_ptr<Kernel> make_linux_kernel(std::map<std::string, std::vector<Address>> endpoints = {},
                                          const std::string& run_dir = {});

} // namespace natctl
