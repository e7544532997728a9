// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/session.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/ipset_mirror.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/resolve.h"
#include "nftctl/plan/compile.h"
#include "nftctl/site/load.h"

namespace natctl {

namespace {

void make_directory(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) throw SystemError("create", path, error.value(), "run it as root, or choose another directory");
}

} // namespace

std::optional<Site> read_site(const std::string& path, bool with_notes) {
    auto loaded = load_site(path);
    if (!with_notes) loaded.keep(Severity::warning);
    fmt::print(stderr, "{}", render(loaded, path));
    return std::move(loaded.site);
}

ApplyLock::ApplyLock(const std::string& run_dir) {
    make_directory(run_dir);
    const std::string path = run_dir + "/natctl.lock";
    fd_ = Fd(check(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", path));
    check(::flock(fd_.get(), LOCK_EX), "lock", path);
}

void remember_applied(const std::string& state_dir, const std::string& config) {
    make_directory(state_dir);
    const std::string path = state_dir + "/applied.toml";
    const std::string fresh = path + ".new";
    std::ifstream source(config, std::ios::binary);
    std::ostringstream text;
    text << source.rdbuf();
    {
        const Fd file(check(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), "write", fresh));
        const std::string content = text.str();
        std::size_t written = 0;
        while (written < content.size()) {
            const auto count =
                check(::write(file.get(), content.data() + written, content.size() - written), "write", fresh);
            written += static_cast<std::size_t>(count);
        }
        check(::fsync(file.get()), "write", fresh);
    }
    check(::rename(fresh.c_str(), path.c_str()), "replace", path);
}

void forget_applied(const std::string& state_dir) {
    std::error_code ignored;
    std::filesystem::remove(state_dir + "/applied.toml", ignored);
}

std::unique_ptr<Kernel> open_kernel(const Options& options, const Site& site) {
    return make_linux_kernel(resolve_endpoints(site, options.state_dir));
}

std::optional<Transaction> apply_file(const Options& options) {
    const auto site = read_site(options.config);
    if (!site) return std::nullopt;
    const auto kernel = open_kernel(options, *site);
    const ApplyLock lock(options.run_dir);
    check_ipset_mirror(*site);
    auto change = apply(*kernel, *site);
    update_ipset_mirror(*site, kernel->read_facts(*site), options.state_dir);
    remember_applied(options.state_dir, options.config);
    for (const auto& line : advice(*site, kernel->read_facts(*site))) fmt::print(stderr, "warning: {}\n", line);
    return change;
}

} // namespace natctl
