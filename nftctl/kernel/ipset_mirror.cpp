// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/ipset_mirror.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include "nftctl/base/error.h"
#include "nftctl/kernel/ipset.h"
#include "nftctl/plan/ranges.h"
#include "nftctl/plan/white_list.h"

namespace natctl {

namespace {

std::string path_in(const std::string& state_dir) { return state_dir + "/ipsets"; }

std::string set_name(const Site& site, Family family) {
    return site.white_list.ipset + (family == Family::ipv4 ? "" : "6");
}

std::vector<IpsetMember> members_for(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    std::vector<IpsetMember> members;
    for (const auto& [range, lifetime] : all_white_ranges(site, maps, facts, family)) {
        IpsetMember member;
        if (lifetime) member.lifetime = std::chrono::ceil<std::chrono::seconds>(*lifetime);
        for (const auto& prefix : prefixes_of({range})) {
            member.prefix = prefix;
            members.push_back(member);
        }
    }
    return members;
}

/// Names, one a line.
std::vector<std::string> read_made(const std::string& state_dir) {
    std::vector<std::string> names;
    std::ifstream file(path_in(state_dir));
    for (std::string name; std::getline(file, name);)
        if (!name.empty()) names.push_back(name);
    return names;
}

void write_made(const std::string& state_dir, const std::vector<std::string>& names) {
    std::error_code error;
    const auto path = path_in(state_dir);
    if (names.empty()) {
        std::filesystem::remove(path, error);
        return;
    }
    std::filesystem::create_directories(state_dir, error);
    const auto fresh = path + ".new";
    {
        std::ofstream file(fresh, std::ios::trunc);
        for (const auto& name : names) file << name << '\n';
        file.flush();
        if (!file) throw SystemError("write", fresh, EIO, "natctl remembers there which ipsets it made");
    }
    check(std::rename(fresh.c_str(), path.c_str()), "replace", path);
}

} // namespace

void check_ipset_mirror(const Site& site) {
    if (site.white_list.ipset.empty()) return;
    Ipsets ipsets;
    for (const auto family : {Family::ipv4, Family::ipv6}) ipsets.exists(set_name(site, family), family);
}

void update_ipset_mirror(const Site& site, const MapParts& maps, const Facts& facts, const std::string& state_dir) {
    auto made = read_made(state_dir);
    if (site.white_list.ipset.empty()) {
        if (!made.empty()) remove_ipset_mirror(state_dir);
        return;
    }
    Ipsets ipsets;
    std::vector<std::string> wanted;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        const auto name = set_name(site, family);
        wanted.push_back(name);
        // Remembered first: a set that is made and forgotten would stay for ever.
        if (!ipsets.exists(name, family) && std::ranges::find(made, name) == made.end()) {
            made.push_back(name);
            write_made(state_dir, made);
        }
        ipsets.replace(name, family, members_for(site, maps, facts, family));
    }
    const auto is_wanted = [&](const std::string& name) { return std::ranges::find(wanted, name) != wanted.end(); };
    for (const auto& name : made)
        if (!is_wanted(name)) ipsets.destroy(name);
    if (std::erase_if(made, [&](const std::string& name) { return !is_wanted(name); }) != 0)
        write_made(state_dir, made);
}

void remove_ipset_mirror(const std::string& state_dir) {
    const auto made = read_made(state_dir);
    if (made.empty()) return;
    Ipsets ipsets;
    for (const auto& name : made) ipsets.destroy(name);
    write_made(state_dir, {});
}

} // namespace natctl
