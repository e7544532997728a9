// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tunnel/worker.h"
#include "tunnel_sockets.h"

namespace natctl::test {

enum class Probing : std::uint8_t { no, yes };

/// A worker in a thread of its own, on sockets that need no privileges.
class RunningWorker {
public:
    RunningWorker(std::shared_ptr<const Settings> settings, std::vector<ListenSocket> listeners,
                  const WorkerLimits& limits = {}, Probing probing = Probing::no)
        : worker_(std::make_unique<Worker>(std::move(settings), std::move(listeners), limits, log_)) {
        if (probing == Probing::yes) worker_->probe_proxies();
        thread_ = std::thread([this] { worker_->run(); });
    }
    ~RunningWorker() {
        worker_->stop();
        if (thread_.joinable()) thread_.join();
    }

    Worker& operator*() { return *worker_; }
    Worker* operator->() { return worker_.get(); }
    /// Waits for its end after drain().
    void join() { thread_.join(); }

private:
    FlowLog log_;
    std::unique_ptr<Worker> worker_;
    std::thread thread_;
};

/// A file that only its owner may read, as passwords must be.
class PasswordFile {
public:
    explicit PasswordFile(const std::string& password)
        : path_(std::filesystem::temp_directory_path() / ("natctl-test-" + fresh_address().text())) {
        std::ofstream(path_) << "";
        std::filesystem::permissions(path_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        std::ofstream(path_) << password << '\n';
    }
    ~PasswordFile() { std::filesystem::remove(path_); }
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

inline Timeouts short_ticks() {
    Timeouts timeouts;
    timeouts.tick = std::chrono::milliseconds(10);
    return timeouts;
}

/// As make_settings(), but sockets are not marked, which needs privileges.
inline std::shared_ptr<Settings> unmarked(const Site& site, const Timeouts& timeouts = short_ticks()) {
    auto settings = std::make_shared<Settings>(*make_settings(site, timeouts));
    settings->bypass_mark = 0;
    return settings;
}

inline ListenSocket listen_on(ListenerKind kind, const Endpoint& endpoint) {
    TestListener listener(endpoint);
    return {{kind, endpoint}, listener.release()};
}

inline std::vector<ListenSocket> one(ListenSocket socket) {
    std::vector<ListenSocket> sockets;
    sockets.push_back(std::move(socket));
    return sockets;
}

inline Prefix host_prefix(const Address& address) { return {address, address.bits()}; }

} // namespace natctl::test
