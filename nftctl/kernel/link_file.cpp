// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/link_file.h"

#include <cstdint>
#include <sstream>
#include <utility>

#include "nftctl/base/run_files.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"

namespace natctl {

namespace {

using std::chrono::milliseconds;

std::string path_in(const std::string& run_dir) { return run_dir + "/" + run_files::links_out_of_use; }

} // namespace

FailedLinks read_failed_links(const std::string& run_dir) {
    FailedLinks links;
    std::istringstream in(read_text(path_in(run_dir)).value_or(""));
    std::string boot;
    if (!std::getline(in, boot) || boot != boot_id()) return links;
    PeerLink link;
    std::int64_t since = 0;
    std::string use;
    std::string families;
    while (in >> link.peer >> link.place >> since >> use >> families) {
        auto& failed = links[link];
        std::getline(in >> std::ws, failed.text);
        failed.out_of_use = use == "out";
        failed.since = std::chrono::steady_clock::time_point(milliseconds(since));
        if (families.find('4') != std::string::npos) failed.unroutable.insert(Family::ipv4);
        if (families.find('6') != std::string::npos) failed.unroutable.insert(Family::ipv6);
    }
    return links;
}

void believe(const FailedLinks& links, Facts& facts) {
    for (const auto& [link, failed] : links) {
        if (failed.out_of_use) facts.out_of_use.insert(link);
        for (const auto family : failed.unroutable) facts.unroutable.emplace(link, family);
    }
}

void write_failed_links(const std::string& run_dir, const FailedLinks& links) {
    if (links.empty()) {
        remove_file(path_in(run_dir));
        return;
    }
    std::ostringstream text;
    text << boot_id() << '\n';
    for (const auto& [link, failed] : links) {
        text << link.peer << ' ' << link.place << ' '
             << std::chrono::floor<milliseconds>(failed.since.time_since_epoch()).count()
             << (failed.out_of_use ? " out " : " in ");
        if (failed.unroutable.empty()) text << '0';
        for (const auto family : failed.unroutable) text << (family == Family::ipv4 ? '4' : '6');
        text << ' ' << failed.text << '\n';
    }
    PreparedFile(path_in(run_dir), std::move(text).str()).publish();
}

} // namespace natctl
