// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/load.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"
#include "nftctl/site/check.h"
#include "nftctl/site/load_maps.h"
#include "nftctl/site/parse.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/secret.h"
#include "nftctl/site/secret_files.h"

namespace natctl {

namespace {

std::string read_file(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw_errno("open", escape(path));
    std::string text;
    for (std::size_t size = 0;;) {
        text.resize(std::max<std::size_t>(2 * size, 65536));
        const auto count = ::read(fd.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw_errno("read", escape(path));
        size += static_cast<std::size_t>(count);
        if (size > max_site_size)
            throw SystemError("read", escape(path), EFBIG,
                              fmt::format("a site.toml has at most {} MiB", max_site_size >> 20));
        if (count == 0) {
            text.resize(size);
            return text;
        }
    }
}

void check_secrets(Site& site, const std::string& path, Diagnostics& diagnostics) {
    std::error_code ignored;
    const auto folder = std::filesystem::absolute(path, ignored).parent_path();
    for (const auto& file : secret_files(site)) {
        *file.path = (folder / *file.path).lexically_normal().string();
        if (auto problem = find_secret_problem(*file.path, file.noun))
            diagnostics.error(file.at, std::move(problem->cause), std::move(problem->remedy));
    }
}

} // namespace

void LoadResult::keep(Severity least) {
    const auto is_less = [&](const Diagnostic& diagnostic) { return diagnostic.severity > least; };
    std::erase_if(diagnostics, is_less);
    for (auto& file : maps_files) std::erase_if(file.diagnostics, is_less);
    std::erase_if(maps_files, [](const FileFindings& file) { return file.diagnostics.empty(); });
}

std::string render(const LoadResult& result, const std::string& path) {
    auto text = result.diagnostics.empty() ? std::string() : render(result.diagnostics, path, result.source);
    for (const auto& file : result.maps_files) text += render(file.diagnostics, file.path, file.source);
    return text;
}

std::vector<FlatDiagnostic> flatten(const LoadResult& result, const std::string& path) {
    auto flat = flatten(result.diagnostics, path, result.source);
    for (const auto& file : result.maps_files)
        std::ranges::move(flatten(file.diagnostics, file.path, file.source), std::back_inserter(flat));
    return flat;
}

LoadResult load_site(const std::string& path) {
    LoadResult result;
    result.source = read_file(path);
    auto parsed = parse_site(result.source);
    result.site = std::move(parsed.site);
    result.diagnostics = std::move(parsed.diagnostics);
    if (!result.site) return result;

    std::vector<Diagnostics> files(1 + result.site->maps_files.size());
    check_secrets(*result.site, path, files[0]);
    if (files.size() > 1) {
        load_maps(*result.site, path, files);
        check_maps_files(*result.site, files);
    }
    const bool sound = std::ranges::all_of(files, [](const Diagnostics& found) { return found.errors() == 0; });
    for (std::size_t i = 1; i < files.size(); ++i) {
        auto found = files[i].take();
        if (found.empty()) continue;
        // Read again: it was not kept.
        const auto& name = result.site->maps_files[i - 1].path;
        result.maps_files.push_back({name, std::move(found), read_file(name)});
    }
    std::ranges::move(files[0].take(), std::back_inserter(result.diagnostics));
    std::ranges::stable_sort(result.diagnostics, {}, &Diagnostic::at);
    if (!sound) result.site.reset();
    return result;
}

} // namespace natctl
