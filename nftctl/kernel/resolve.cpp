// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/resolve.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <netdb.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds patience{2000};
constexpr std::size_t most_threads = 16;

std::string path_in(const std::string& state_dir) { return state_dir + "/endpoints.json"; }

/// Shared with threads that may outlive the wait.
struct Work {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> names;
    std::size_t next = 0;
    std::size_t done = 0;
    Endpoints found;
    Lookup look_up;
};

void work_off(const std::shared_ptr<Work>& work) {
    std::unique_lock lock(work->mutex);
    while (work->next < work->names.size()) {
        const std::string name = work->names[work->next++];
        lock.unlock();
        auto addresses = work->look_up(name);
        std::ranges::sort(addresses);
        addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
        lock.lock();
        if (!addresses.empty()) work->found[name] = std::move(addresses);
        ++work->done;
        work->changed.notify_all();
    }
}

} // namespace

std::vector<Address> look_up_host(const std::string& name) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
    std::vector<Address> addresses;
    for (const auto* item = list; item != nullptr; item = item->ai_next)
        if (item->ai_family == AF_INET || item->ai_family == AF_INET6)
            addresses.push_back(endpoint_of(item->ai_addr).address);
    return addresses;
}

Endpoints resolve(const std::vector<std::string>& names, std::chrono::milliseconds deadline, const Lookup& look_up) {
    const auto work = std::make_shared<Work>();
    work->names = names;
    work->look_up = look_up;
    const auto end = std::chrono::steady_clock::now() + deadline;
    for (std::size_t i = 0; i < std::min(most_threads, names.size()); ++i)
        std::thread([work] { work_off(work); }).detach();
    std::unique_lock lock(work->mutex);
    work->changed.wait_until(lock, end, [&] { return work->done == work->names.size(); });
    return work->found;
}

std::vector<std::string> endpoint_names(const Site& site) {
    std::vector<std::string> names;
    for (const auto& endpoint : site.white_list.endpoints)
        if (!Address::parse(endpoint)) names.push_back(endpoint);
    return names;
}

Endpoints read_endpoints(const std::string& state_dir) {
    std::ifstream file(path_in(state_dir));
    if (!file) return {};
    const auto json = Json::parse(file, nullptr, false);
    Endpoints endpoints;
    if (!json.is_object()) return endpoints;
    for (const auto& [name, list] : json.items())
        for (const auto& item : list.is_array() ? list : Json::array())
            if (item.is_string())
                if (const auto address = Address::parse(item.get<std::string>())) endpoints[name].push_back(*address);
    return endpoints;
}

void write_endpoints(const std::string& state_dir, const Endpoints& endpoints) {
    std::error_code error;
    std::filesystem::create_directories(state_dir, error);
    if (error) throw SystemError("create", state_dir, error.value(), "run it as root, or choose another directory");
    Json json = Json::object();
    for (const auto& [name, addresses] : endpoints)
        for (const auto& address : addresses) json[name].push_back(address.text());
    const auto text = json.dump(2) + "\n";
    const auto path = path_in(state_dir);
    const auto fresh = path + ".new";
    {
        const Fd file(check(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), "write", fresh));
        for (std::size_t written = 0; written < text.size();)
            written += static_cast<std::size_t>(
                check(::write(file.get(), text.data() + written, text.size() - written), "write", fresh));
        check(::fsync(file.get()), "write", fresh);
    }
    check(std::rename(fresh.c_str(), path.c_str()), "replace", path);
}

Resolution complete(const std::vector<std::string>& names, Endpoints now, const Endpoints& last) {
    Resolution result;
    for (const auto& name : names) {
        if (now.contains(name)) continue;
        const auto known = last.find(name);
        (known == last.end() ? result.unresolved : result.remembered).push_back(name);
        if (known != last.end()) now[name] = known->second;
    }
    result.endpoints = std::move(now);
    return result;
}

Endpoints resolve_endpoints(const Site& site, const std::string& state_dir) {
    const auto names = endpoint_names(site);
    if (names.empty()) return {};
    const auto last = read_endpoints(state_dir);
    const auto result = complete(names, resolve(names, patience, look_up_host), last);
    for (const auto& name : result.remembered)
        fmt::print(stderr, "warning: {} does not resolve now: the white list keeps the addresses it had last\n", name);
    for (const auto& name : result.unresolved)
        fmt::print(stderr,
                   "warning: {} does not resolve: it is not on the white list yet; `getent ahosts {}` shows when it "
                   "does, then apply again\n",
                   name, name);
    try {
        if (result.endpoints != last) write_endpoints(state_dir, result.endpoints);
    } catch (const SystemError& error) {
        fmt::print(stderr, "warning: {}\n", error.what());
    }
    return result.endpoints;
}

} // namespace natctl
