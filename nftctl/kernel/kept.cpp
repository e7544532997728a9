// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/kept.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/site/load_maps.h"
#include "nftctl/site/parse.h"
#include "nftctl/site/secret_files.h"

namespace natctl {

namespace {

namespace fs = std::filesystem;

constexpr const char* copy_prefix = "maps-";

/// FNV-1a of 64 bits. Nobody who could make two files alike on purpose gets to write one.
std::uint64_t hash(std::string_view content) {
    std::uint64_t value = 0xcbf29ce484222325;
    for (const char c : content) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return value;
}

/// A copy is named by its content, so that it never changes, and the same content is kept once.
std::string keep_maps(const std::string& path, const fs::path& directory) {
    const auto content = read_text(path);
    if (!content) throw SystemError("read", path, ENOENT);
    auto copy = (directory / fmt::format("{}{:016x}-{}", copy_prefix, hash(*content), content->size())).string();
    if (!fs::exists(copy)) PreparedFile(copy, *content).publish();
    return copy;
}

fs::path directory_of(const StatePaths& paths) { return fs::absolute(paths.applied).parent_path(); }

[[noreturn]] void fail(const std::string& path) {
    throw SystemError("return to", path, EINVAL,
                      "`natctl check " + path +
                          "` names its mistakes; apply another file, or remove everything by `natctl down`");
}

} // namespace

std::string keep(LoadResult& loaded, const StatePaths& paths) {
    std::vector<PlacedPath> places;
    for (const auto& file : secret_files(*loaded.site)) places.push_back({file.at, *file.path});
    for (const auto& file : loaded.site->maps_files)
        places.push_back({file.at, keep_maps(file.path, directory_of(paths))});
    return with_paths(loaded.source, std::move(places));
}

std::optional<Site> read_kept(const std::string& path) {
    const auto text = read_text(path);
    if (!text) return std::nullopt;
    auto parsed = parse_site(*text);
    if (!parsed.site) fail(path);
    std::vector<Diagnostics> files(1 + parsed.site->maps_files.size());
    load_maps(*parsed.site, path, files);
    if (std::ranges::any_of(files, [](const Diagnostics& found) { return found.errors() != 0; })) fail(path);
    return std::move(parsed.site);
}

void remove_unused(const StatePaths& paths) {
    std::vector<fs::path> copies;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory_of(paths), error))
        if (entry.path().filename().string().starts_with(copy_prefix)) copies.push_back(entry.path());
    if (copies.empty()) return;
    std::string named;
    for (const auto& path : {paths.applied, paths.on_trial, paths.refused}) named += read_text(path).value_or("");
    for (const auto& copy : copies)
        if (named.find(copy.filename().string()) == std::string::npos) remove_file(copy.string());
}

} // namespace natctl
