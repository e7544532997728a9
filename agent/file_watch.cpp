// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/file_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

#include "nftctl/base/error.h"

namespace natctl {

namespace {

namespace fs = std::filesystem;

/// Written and closed, renamed to, made by link(2), gone. The directory itself may go, too.
constexpr std::uint32_t events =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/// Where a change of what is read under that path may show.
std::set<fs::path> places_of(const std::string& path) {
    std::set<fs::path> places;
    std::error_code error;
    const auto own = fs::absolute(path, error);
    if (error) return places;
    places.insert(own.lexically_normal());
    // No target (yet): its own place is all there is.
    if (const auto target = fs::canonical(own, error); !error) places.insert(target);
    return places;
}

} // namespace

FileWatch::FileWatch() : inotify_(check(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "create", "an inotify instance")) {}

std::set<std::string> FileWatch::set(const std::vector<std::string>& paths) {
    paths_ = paths;
    std::string failure;
    std::map<int, std::multimap<std::string, std::string>> names;
    for (const auto& path : paths)
        for (const auto& place : places_of(path)) {
            const auto directory = place.parent_path().string();
            // The same descriptor as before where it is watched already, by whatever name.
            const int watch = ::inotify_add_watch(inotify_.get(), directory.c_str(), events);
            if (watch < 0) {
                if (errno != ENOENT && errno != ENOTDIR)
                    failure = SystemError("watch", directory, errno,
                                          "changes in it are seen at the next reload: systemctl reload natctl-agent")
                                  .what();
                continue;
            }
            names[watch].emplace(place.filename().string(), path);
        }
    failure_.is_now(std::move(failure));
    std::set<std::string> more;
    for (const auto& [watch, files] : names)
        if (!names_.contains(watch))
            for (const auto& [name, path] : files) more.insert(path);
    for (const auto& [watch, ignored] : names_)
        if (!names.contains(watch)) ::inotify_rm_watch(inotify_.get(), watch);
    names_ = std::move(names);
    return more;
}

std::set<std::string> FileWatch::take() {
    std::set<std::string> changed;
    alignas(inotify_event) std::array<char, 16384> buffer;
    while (true) {
        const ssize_t count = ::read(inotify_.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return changed;
        for (const char* next = buffer.data(); next < buffer.data() + count;) {
            const auto& event = *reinterpret_cast<const inotify_event*>(next);
            next += sizeof event + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0) changed.insert(paths_.begin(), paths_.end());
            const auto names = names_.find(event.wd);
            if (names == names_.end()) continue;
            // The directory itself went, and with it everything in it.
            if (event.len == 0)
                for (const auto& [name, path] : names->second) changed.insert(path);
            else
                for (auto [it, end] = names->second.equal_range(event.name); it != end; ++it)
                    changed.insert(it->second);
        }
    }
}

} // namespace natctl
