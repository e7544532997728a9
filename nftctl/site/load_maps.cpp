// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/load_maps.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "nftctl/base/fd.h"
#include "nftctl/site/maps_reader.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

constexpr std::size_t piece_size = 65536;

struct Problem {
    std::string cause;
    std::string remedy;
};

Problem refused(const char* verb, const std::string& path, int error) {
    return {fmt::format("cannot {} {}: {}", verb, escape(path), std::generic_category().message(error)),
            error == ENOENT ? "write the file, or leave maps out: its path starts at the folder of this file"
                            : "name a file that can be read"};
}

std::size_t count_lines(const Fd& fd) {
    std::array<char, piece_size> piece;
    std::size_t lines = 1;
    off_t offset = 0;
    for (;;) {
        const auto count = ::pread(fd.get(), piece.data(), piece.size(), offset);
        if (count <= 0) return lines;
        lines += static_cast<std::size_t>(std::count(piece.data(), piece.data() + count, '\n'));
        offset += count;
    }
}

std::optional<Problem> read_file(const std::string& path, std::vector<Map>& maps, std::uint32_t number,
                                 Diagnostics& diagnostics) {
    // Without waiting, should it be a FIFO.
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return refused("open", path, errno);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return refused("open", path, errno);
    if (!S_ISREG(status.st_mode)) return Problem{escape(path) + " is no regular file", "name a file of maps"};
    if (status.st_size > static_cast<off_t>(max_maps_size))
        return Problem{fmt::format("{} has more than {} MiB", escape(path), max_maps_size >> 20),
                       "map prefixes instead of single hosts"};
    // Growing would copy all of them, and keep the old and the new ones for a moment.
    maps.reserve(maps.size() + count_lines(fd));

    MapsReader reader(maps, number, diagnostics);
    std::array<char, piece_size> piece;
    while (!reader.gave_up()) {
        const auto count = ::read(fd.get(), piece.data(), piece.size());
        if (count == 0) break;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return refused("read", path, errno);
        reader.feed({piece.data(), static_cast<std::size_t>(count)});
    }
    reader.finish();
    return std::nullopt;
}

} // namespace

void load_maps(Site& site, const std::string& site_path, std::span<Diagnostics> files) {
    const auto folder = std::filesystem::path(site_path).parent_path();
    for (std::uint32_t i = 0; i < site.maps_files.size(); ++i) {
        auto& file = site.maps_files[i];
        file.path = (folder / file.path).lexically_normal().string();
        if (auto problem = read_file(file.path, site.maps, i + 1, files[i + 1]))
            files[0].error(file.at, std::move(problem->cause), std::move(problem->remedy));
    }
}

} // namespace natctl
