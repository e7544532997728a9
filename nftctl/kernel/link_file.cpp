// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/link_file.h"

#include <sstream>
#include <utility>

#include "nftctl/base/run_files.h"
#include "nftctl/kernel/state_file.h"

namespace natctl {

namespace {

std::string path_in(const std::string& run_dir) { return run_dir + "/" + run_files::links_out_of_use; }

} // namespace

std::set<PeerLink> read_out_of_use(const std::string& run_dir) {
    std::set<PeerLink> links;
    std::istringstream in(read_text(path_in(run_dir)).value_or(""));
    PeerLink link;
    while (in >> link.peer >> link.place) links.insert(link);
    return links;
}

void write_out_of_use(const std::string& run_dir, const std::set<PeerLink>& links) {
    if (links.empty()) {
        remove_file(path_in(run_dir));
        return;
    }
    std::ostringstream text;
    for (const auto& [peer, place] : links) text << peer << ' ' << place << '\n';
    PreparedFile(path_in(run_dir), std::move(text).str()).publish();
}

} // namespace natctl
