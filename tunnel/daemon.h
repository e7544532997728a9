// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "tunnel/listener.h"
#include "tunnel/roll_call.h"
#include "tunnel/settings.h"
#include "tunnel/worker.h"

namespace natctl {

/// All threads of the tunnel. Listens from construction on.
class Daemon {
public:
    /// `on_finished` is called, on some thread, when the last worker has finished. Throws SystemError when a listener
    /// cannot be opened or sockets cannot be marked.
    Daemon(std::shared_ptr<const Settings> settings, std::size_t threads, const WorkerLimits& limits,
           std::function<void()> on_finished);
    /// Stops and waits for the threads.
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Opens what is new, closes what is gone, keeps every flow. When a listener cannot be opened everything stays as
    /// it was and SystemError is thrown.
    void reload(std::shared_ptr<const Settings> settings);
    /// Accepts nothing any more and finishes with the last flow.
    void drain();
    /// Resets what is left and finishes.
    void stop();

    /// Those that it works by.
    const Settings& settings() const { return *settings_; }
    /// Asks all threads; one that does not answer within a second is left out.
    Status status();
    /// Whether all threads have done something since this was asked last; the first time it is believed.
    bool alive();

private:
    FlowLog log_;
    std::shared_ptr<const Settings> settings_;
    std::set<ListenerAddress> addresses_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::atomic<std::size_t> working_;
    LimitStatus limits_;
    RollCall calls_;
    std::vector<std::thread> threads_;
};

} // namespace natctl
