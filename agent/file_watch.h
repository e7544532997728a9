// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/told_once.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// Tells when files get another content, also when they are replaced, or do not exist yet: it watches their
/// directories (inotify(7)), as editors and configuration tools write a new file and rename it.
class FileWatch {
public:
    FileWatch();

    int fd() const { return inotify_.get(); }

    /// Exactly these from now on. A directory that does not exist, or may not be watched, is left out: set again later.
    /// A path that is a symbolic link is followed, too: both its own directory and that of what it leads to are
    /// watched. Returns those in directories that were not watched before.
    std::set<std::string> set(const std::vector<std::string>& paths);
    /// Why a directory that exists is not watched, once; empty: all are.
    std::string take_failure() { return failure_.take(); }

    /// Those of the paths, as they were given, that were written, came or went. All of them where events were lost.
    std::set<std::string> take();

private:
    Fd inotify_;
    std::vector<std::string> paths_;
    ToldOnce failure_;
    /// By watch descriptor: names in that directory, and the paths as given that they belong to.
    std::map<int, std::multimap<std::string, std::string>> names_;
};

} // namespace natctl
