// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/guards.h"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <vector>

#include <pwd.h>

#include "nftctl/kernel/cgroup.h"

namespace natctl {

namespace {

std::optional<std::uint32_t> number(const std::string& text) {
    std::uint32_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

std::optional<std::uint32_t> find_user(const std::string& name) {
    if (const auto id = number(name)) return id;
    constexpr std::size_t most = 1 << 20;
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    while (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE && buffer.size() < most)
        buffer.resize(2 * buffer.size());
    return found ? std::optional(found->pw_uid) : std::nullopt;
}

} // namespace

void find_guards(const Site& site, Facts& facts) {
    if (!site.intercept) return;
    for (const auto& name : site.intercept->except_users)
        if (const auto id = find_user(name)) facts.users[name] = *id;
    for (const auto& path : site.intercept->except_cgroups)
        if (const auto group = find_cgroup(path)) facts.control_groups[path] = *group;
}

std::vector<std::string> guard_files(const Site& site) {
    std::vector<std::string> files;
    if (!site.intercept) return files;
    if (!site.intercept->except_users.empty()) files.emplace_back("/etc/passwd");
    for (const auto& path : site.intercept->except_cgroups) files.push_back(cgroup_directory(path));
    return files;
}

} // namespace natctl
