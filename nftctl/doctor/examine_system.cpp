// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/base/run_files.h"
#include "nftctl/doctor/examine.h"
#include "nftctl/plan/compile.h"

namespace natctl::doctor {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

/// nullopt: this kernel has no such sysctl.
std::optional<std::string> read_sysctl(std::string name) {
    if (name.find('/') == std::string::npos) std::ranges::replace(name, '.', '/');
    auto value = first_line("/proc/sys/" + name);
    if (value) std::ranges::replace(*value, '\t', ' ');
    return value;
}

bool is_number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

std::size_t most_descriptors(const fs::path& process) {
    std::ifstream file(process / "limits");
    const std::string title = "Max open files";
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(title)) continue;
        std::istringstream columns(line.substr(title.size()));
        std::size_t soft = 0;
        // "unlimited" is no number.
        return columns >> soft ? soft : std::numeric_limits<std::size_t>::max();
    }
    return 0;
}

Process read_process(int pid) {
    const fs::path place = fs::path("/proc") / std::to_string(pid);
    std::error_code error;
    fs::directory_iterator entries(place / "fd", error);
    if (error) throw SystemError("read", (place / "fd").string(), error.value(), "run it as root");
    return {.pid = pid,
            .descriptors = static_cast<std::size_t>(std::distance(begin(entries), end(entries))),
            .most_descriptors = most_descriptors(place)};
}

Path read_path(const std::string& name) {
    Path path{.path = name};
    struct stat status {};
    path.exists = ::stat(name.c_str(), &status) == 0;
    std::string place = name;
    if (path.exists) {
        path.directory = S_ISDIR(status.st_mode);
        path.mode = status.st_mode & 07777;
    } else {
        // It will be made, so the question is what may be done where it will be.
        while (place.size() > 1 && ::access(place.c_str(), F_OK) != 0) place = fs::path(place).parent_path().string();
        if (place.empty()) place = ".";
    }
    path.writable = ::access(place.c_str(), W_OK) == 0;
    struct statvfs system {};
    if (::statvfs(place.c_str(), &system) == 0) path.free = std::uint64_t{system.f_bavail} * system.f_frsize;
    return path;
}

} // namespace

std::map<std::string, std::string> read_sysctls(const Site* site) {
    std::vector<std::string> names{
        "fs.file-nr",
        "net.bridge.bridge-nf-call-ip6tables",
        "net.bridge.bridge-nf-call-iptables",
        "net.ipv4.conf.all.route_localnet",
        "net.ipv4.conf.all.rp_filter",
        "net.ipv4.ip_forward",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv6.conf.all.disable_ipv6",
        "net.ipv6.conf.all.forwarding",
        "net.netfilter.nf_conntrack_acct",
        "net.netfilter.nf_conntrack_count",
        "net.netfilter.nf_conntrack_max",
        "net.netfilter.nf_conntrack_tcp_timeout_established",
    };
    if (site != nullptr) {
        auto interfaces = link_interfaces(*site);
        interfaces.insert(interfaces.end(), site->lan.begin(), site->lan.end());
        for (const auto& interface : interfaces) {
            for (const char* leaf : {"forwarding", "route_localnet", "rp_filter"})
                names.push_back(interface_sysctl(Family::ipv4, interface, leaf));
            names.push_back(interface_sysctl(Family::ipv6, interface, "disable_ipv6"));
        }
    }
    if (!fs::exists("/proc/sys/net")) throw SystemError("read", "/proc/sys/net", ENOENT, "mount /proc");
    std::map<std::string, std::string> values;
    for (const auto& name : names)
        if (auto value = read_sysctl(name)) values.emplace(name, std::move(*value));
    return values;
}

std::optional<Process> read_tunnel(const std::string& run_dir) {
    const auto line = first_line(fs::path(run_dir) / run_files::tunnel_ready);
    // At most seven digits: PID_MAX_LIMIT of Linux is 4194304.
    if (!line || !is_number(*line) || line->size() > 7) return std::nullopt;
    const int pid = std::stoi(*line);
    // A killed one leaves its file behind, and another program may have got its number.
    if (first_line(fs::path("/proc") / *line / "comm") != "natctl-tunnel") return std::nullopt;
    return read_process(pid);
}

std::optional<Process> read_agent() {
    struct stat own {};
    check(::stat("/proc/self/ns/net", &own), "look at", "/proc/self/ns/net");
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        if (!is_number(name) || first_line(entry.path() / "comm") != "natctl-agent") continue;
        struct stat other {};
        if (::stat((entry.path() / "ns/net").c_str(), &other) == 0 && other.st_ino == own.st_ino)
            return Process{.pid = std::stoi(name)};
    }
    return std::nullopt;
}

std::vector<Path> read_paths(const Invocation& invocation) {
    std::vector<Path> paths;
    for (const auto& name : {invocation.config, invocation.run_dir, invocation.state_dir})
        paths.push_back(read_path(name));
    return paths;
}

Clock read_clock() {
    timex request{};
    const int state = check(::adjtimex(&request), "ask", "the kernel's clock");
    return {.now = std::chrono::system_clock::now(),
            .synchronised = state != TIME_ERROR && (request.status & STA_UNSYNC) == 0};
}

std::vector<std::string> read_legacy_tables() {
    std::vector<std::string> tables;
    for (const char* kind : {"ip", "ip6"}) {
        // Absent where the module is not loaded.
        std::ifstream file(std::string("/proc/net/") + kind + "_tables_names");
        for (std::string name; std::getline(file, name);) tables.push_back(std::string(kind) + " " + name);
    }
    return tables;
}

} // namespace natctl::doctor
