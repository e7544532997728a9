// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/upkeep.h"

#include <algorithm>
#include <span>
#include <utility>

#include <sys/stat.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/ipset_mirror.h"
#include "nftctl/kernel/kept.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/lock.h"
#include "nftctl/kernel/memory.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/kernel/run_time_list.h"
#include "nftctl/kernel/session_parts.h"

namespace natctl {

Upkeep::Upkeep(Options options, Standing standing, AdjustFacts adjust)
    : options_(std::move(options)),
      standing_(std::move(standing)),
      kernel_(make_linux_kernel({.white_now = [this] { return read_run_time_entries(options_.run_dir); },
                                 .applied = [this] { return site_ ? std::optional(*site_) : std::nullopt; },
                                 .run_dir = options_.run_dir,
                                 .endpoints_of = standing_.find,
                                 .adjust =
                                     [this, adjust = std::move(adjust)](const Site& site, Facts& facts) {
                                         if (adjust) adjust(site, facts);
                                         facts_ = facts;
                                         facts_read_ = Clock::now();
                                     },
                                 .keep_table = true,
                                 .tables = standing_.tables})) {}

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
    compiler_.reset();
    site_ = site ? std::make_shared<const Site>(*std::move(site)) : nullptr;
    if (site_) compiler_.emplace(*site_);
    read_ = state;
    return site_;
}

Upkeep::Look Upkeep::look(bool thorough) {
    const ApplyLock lock(options_.run_dir);
    Look look{.site = read_site()};
    if (!look.site) {
        if (standing_.tables && standing_.tables->owns()) {
            look.change = take_down(*kernel_);
            remove_ipset_mirror(options_.state_dir);
        }
        return look;
    }
    look.change = apply(*kernel_, *compiler_);
    look.facts = facts_;
    follow_mirror(look, thorough);
    return look;
}

void Upkeep::follow_mirror(Look& look, bool thorough) {
    if (!thorough && look.site == mirrored_site_ && look.facts == mirrored_facts_) return;
    try {
        update_ipset_mirror(*look.site, compiler_->maps(), look.facts, options_.state_dir);
        mirrored_site_ = look.site;
        mirrored_facts_ = look.facts;
    } catch (const SystemError& error) {
        // It is a copy: what others did to it is no reason to leave the table as it is.
        mirrored_site_.reset();
        look.mirror_refusal = error.what();
    }
}

std::map<std::string, std::uint64_t> Upkeep::set_sizes() const {
    std::map<std::string, std::uint64_t> sizes;
    if (!compiler_) return sizes;
    auto facts = facts_;
    // These go by themselves.
    const auto passed = Clock::now() - facts_read_;
    const auto is_over = [&](const RunTimeEntry& entry) { return entry.lifetime && *entry.lifetime <= passed; };
    std::erase_if(facts.white_now, is_over);
    const auto plan = compiler_->compile(facts);
    for (const auto& set : plan.table->sets) sizes.emplace(set.spec.name, set.elements.size());
    return sizes;
}

std::size_t Upkeep::end_flows(const Site& site, const std::vector<std::string>& peers) {
    std::vector<Prefix> gone;
    for (const auto& peer : site.peers)
        if (std::ranges::find(peers, peer.name) != peers.end())
            gone.insert(gone.end(), peer.virtual_prefixes.begin(), peer.virtual_prefixes.end());
    const auto is_gone = [&](const Address& address) {
        return std::ranges::any_of(gone, [&](const Prefix& prefix) { return prefix.contains(address); });
    };
    const ConnectionFilter on_links{.mark = site.marks.link()};
    const auto found = kernel_->find_connections(std::span(&on_links, 1), [&](const Connection& connection) {
        return is_gone(connection.original.source) || is_gone(connection.original.destination);
    });
    return kernel_->remove_connections(found);
}

void Upkeep::follow(std::uint32_t first, std::uint32_t last) { Memory(options_.run_dir).follow(first, last); }

} // namespace natctl
