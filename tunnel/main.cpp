// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "nftctl/base/log.h"
#include "nftctl/base/program.h"
#include "nftctl/base/run_files.h"
#include "nftctl/site/load.h"
#include "nftctl/socket/service_manager.h"
#include "tunnel/daemon.h"
#include "tunnel/limits.h"
#include "tunnel/ready_file.h"
#include "tunnel/status_socket.h"

namespace natctl {

namespace {

/// How long open flows may go on after SIGTERM.
constexpr auto drain_time = std::chrono::seconds(3);

struct Options {
    std::string config = "/etc/natctl/site.toml";
    std::string run_dir = "/run/natctl";
    std::string state_dir = "/var/lib/natctl";
    std::string log_level = "info";
    std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
};

/// nullptr when the file has errors; they have been printed then.
std::shared_ptr<const Settings> load_settings(const std::string& path, const Settings* former = nullptr) {
    LoadResult loaded = load_site(path);
    loaded.keep(Severity::error);
    fmt::print(stderr, "{}", render(loaded, path));
    return loaded.site ? make_settings(*loaded.site, {}, former) : nullptr;
}

void reload(Daemon& daemon, const std::string& path) {
    const auto complain = [&](const std::string& cause) {
        spdlog::error("{} was not reloaded, the former configuration stays: {}", path, cause);
    };
    try {
        if (auto settings = load_settings(path, &daemon.settings())) {
            daemon.reload(std::move(settings));
            spdlog::info("reloaded {}", path);
        } else {
            complain("it has errors; `natctl check` names them");
        }
    } catch (const std::exception& error) {
        complain(error.what());
    }
}

WorkerLimits limits_for(const Settings& settings, std::size_t threads) {
    const std::size_t open_files = raise_descriptor_limit();
    const std::size_t wanted = settings.flows == 0 ? open_files : descriptors_for(settings.flows, threads);
    const WorkerLimits limits = share_limits(std::min(wanted, open_files), threads, settings.flows);
    if (wanted > open_files)
        spdlog::warn("[tunnel] flows = {} needs {} open files, and the limit is {}: there is room for {} flows, {} UDP "
                     "associations and {} pipes; raise LimitNOFILE",
                     settings.flows, wanted, open_files, threads * limits.max_flows, threads * limits.max_associations,
                     threads * limits.max_pipes);
    return limits;
}

/// A status with rates: what has moved since the last sample but one, which is 5 to 10 seconds old.
class Rates {
public:
    Rates(asio::io_context& io, Daemon& daemon) : daemon_(daemon), timer_(io) { take_sample(); }

    Status status() {
        Status now = daemon_.status();
        const std::chrono::duration<double> passed = Clock::now() - older_.at;
        add_rates(now, older_.status, passed.count());
        return now;
    }

private:
    using Clock = std::chrono::steady_clock;
    struct Sample {
        Status status = {};
        Clock::time_point at = Clock::now();
    };

    void take_sample() {
        older_ = std::exchange(newer_, Sample{daemon_.status(), Clock::now()});
        timer_.expires_after(std::chrono::seconds(5));
        timer_.async_wait([this](const std::error_code& cancelled) {
            if (!cancelled) take_sample();
        });
    }

    Daemon& daemon_;
    asio::steady_timer timer_;
    Sample newer_;
    Sample older_;
};

/// Tells the service manager that all threads are alive, as often as it wants to hear it.
class Heartbeat {
public:
    Heartbeat(asio::io_context& io, ServiceManager& manager, Daemon& daemon)
        : manager_(manager),
          daemon_(daemon),
          timer_(io) {
        wait();
    }

    /// Threads that have finished say nothing any more.
    void ends() { ending_ = true; }

private:
    void wait() {
        if (manager_.due() == ServiceManager::Time::max()) return;
        timer_.expires_at(manager_.due());
        timer_.async_wait([this](const std::error_code& cancelled) {
            if (cancelled) return;
            manager_.tend(std::chrono::steady_clock::now(), ending_ || daemon_.alive());
            wait();
        });
    }

    ServiceManager& manager_;
    Daemon& daemon_;
    asio::steady_timer timer_;
    bool ending_ = false;
};

int run(const Options& options) {
    // Before any thread is made, as it changes the environment.
    ServiceManager manager(std::chrono::steady_clock::now());
    const auto settings = load_settings(options.config);
    if (!settings) return exit_error;
    ReadyFile ready(std::filesystem::path(options.run_dir) / run_files::tunnel_ready);
    // A write to a socket that was reset is an error to be handled, not a signal.
    std::signal(SIGPIPE, SIG_IGN);

    asio::io_context io(1);
    // Before any thread is made, so that all of them leave the signals to this one.
    asio::signal_set end(io, SIGTERM, SIGINT);
    asio::signal_set hangup(io, SIGHUP);
    Daemon daemon(settings, options.threads, limits_for(*settings, options.threads), [&io] { io.stop(); });
    Rates rates(io, daemon);
    const StatusSocket status(io, options.run_dir + "/" + run_files::tunnel_status,
                              [&] { return to_json(rates.status()); });
    ready.publish();
    manager.tell("READY=1");
    Heartbeat heartbeat(io, manager, daemon);

    asio::steady_timer patience(io);
    end.async_wait([&](const std::error_code& error, int) {
        if (error) return;
        manager.tell("STOPPING=1");
        heartbeat.ends();
        daemon.drain();
        patience.expires_after(drain_time);
        patience.async_wait([&](const std::error_code& cancelled) {
            if (!cancelled) daemon.stop();
        });
    });
    std::function<void(const std::error_code&, int)> on_hangup = [&](const std::error_code& error, int) {
        if (error) return;
        reload(daemon, options.config);
        hangup.async_wait(on_hangup);
    };
    hangup.async_wait(on_hangup);
    io.run();
    return exit_done;
}

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Relays the flows of natctl's sites over SOCKS5.", "natctl-tunnel");
    app.set_version_flag("--version", "natctl-tunnel " NATCTL_VERSION);
    app.add_option("--config", options.config, "what is where")->capture_default_str();
    app.add_option("--run-dir", options.run_dir, "where natctl-tunnel.ready is written")->capture_default_str();
    app.add_option("--state-dir", options.state_dir, "what must survive a reboot; nothing yet")->capture_default_str();
    app.add_option("--log-level", options.log_level, "how much is said on standard error")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "critical", "off"}))
        ->capture_default_str();
    app.add_option("--threads", options.threads, "loops that share the work")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    if (const auto code = parse_command_line(app, argc, argv)) return *code;
    log_to_stderr("natctl-tunnel", options.log_level);
    try {
        return run(options);
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
        return exit_error;
    }
}

} // namespace

} // namespace natctl

int main(int argc, char** argv) { return natctl::main(argc, argv); }
