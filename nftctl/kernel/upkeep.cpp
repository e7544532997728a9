// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/upkeep.h"

#include <utility>

#include <sys/stat.h>

#include "nftctl/kernel/kept.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/lock.h"
#include "nftctl/kernel/run_time_list.h"
#include "nftctl/kernel/session_parts.h"

namespace natctl {

Upkeep::Upkeep(Options options, FindEndpoints find) : options_(std::move(options)), find_(std::move(find)) {}

Upkeep::FileState Upkeep::state_of_file(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {.device = status.st_dev,
            .number = status.st_ino,
            .seconds = status.st_mtim.tv_sec,
            .nanoseconds = status.st_mtim.tv_nsec,
            .path = path};
}

std::shared_ptr<const Site> Upkeep::read_site() {
    const auto path = path_of_applied(StatePaths(options_.state_dir));
    const auto state = state_of_file(path);
    if (state == read_) return site_;
    auto site = read_kept(path);
    site_ = site ? std::make_shared<const Site>(*std::move(site)) : nullptr;
    read_ = state;
    return site_;
}

Upkeep::Look Upkeep::look() {
    const ApplyLock lock(options_.run_dir);
    Look look{.site = read_site()};
    if (!look.site) return look;
    const auto kernel = make_linux_kernel({.endpoints = find_(*look.site),
                                           .white_now = [this] { return read_run_time_entries(options_.run_dir); },
                                           .applied = [&look] { return *look.site; },
                                           .run_dir = options_.run_dir});
    look.change = apply_and_mirror(*kernel, *look.site, options_.state_dir);
    look.facts = kernel->read_facts(*look.site);
    return look;
}

} // namespace natctl
