// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/kernel/kernel.h"
#include "nftctl/site/site.h"

namespace natctl {

namespace nft {
class Nftables;
}

/// What the kernel itself does not know.
struct KernelSources {
    /// Goes into the facts as it is.
    std::map<std::string, std::vector<Address>> endpoints = {};
    /// Asked whenever the facts are read.
    std::function<std::vector<RunTimeEntry>()> white_now = {};
    /// The site that was applied last, nullopt when that is not known. Where nobody changed a table since, ours is made
    /// of it once more instead of being read: the kernel takes seconds to list a quarter of a million elements.
    std::function<std::optional<Site>()> applied = {};
    /// Where it is kept what table was seen last, over runs of natctl.
    std::string run_dir = {};
    /// Asked instead of `endpoints` whenever the facts are read.
    std::function<std::map<std::string, std::vector<Address>>(const Site&)> endpoints_of = {};
    /// May change facts that are not to be believed, whenever they are read.
    std::function<void(const Site&, Facts&)> adjust = {};
    /// Keep the table itself as well, for a program that runs on: it is neither read nor made again then.
    bool keep_table = false;
    /// Where tables are read and changed, and to whom an ownable one is to belong. Without it that is something that
    /// ends with the kernel.
    std::shared_ptr<nft::Nftables> tables = {};
};

/// The kernel of the network namespace that the calling thread is in now; the object stays bound to that namespace.
/// Needs CAP_NET_ADMIN for commit() and for reading tables. Not safe for use by two threads at once.
/// It remembers in `run_dir`; without one it remembers nothing.
std::unique_ptr<Kernel> make_linux_kernel(KernelSources sources = {});

} // namespace natctl
