// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/socket/service_manager.h"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

#include "nftctl/base/fd.h"
#include "nftctl/socket/unix_address.h"

namespace natctl {

namespace {

std::string take_variable(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value ? value : "";
    ::unsetenv(name);
    return text;
}

std::optional<long> number(const std::string& text) {
    long value = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && rest == end && value > 0 ? std::optional(value) : std::nullopt;
}

} // namespace

ServiceManager::ServiceManager(Time now) : socket_(take_variable("NOTIFY_SOCKET")) {
    if (!socket_.starts_with('/') && !socket_.starts_with('@')) socket_.clear();
    const auto microseconds = number(take_variable("WATCHDOG_USEC"));
    const auto process = take_variable("WATCHDOG_PID");
    if (socket_.empty() || !microseconds || (!process.empty() && number(process) != ::getpid())) return;
    interval_ = std::chrono::microseconds(*microseconds) / 2;
    due_ = now + *interval_;
}

void ServiceManager::tell(const std::string& state) const {
    auto address = unix_address(socket_);
    if (socket_.empty() || !address) return;
    // An abstract name begins with a zero instead.
    if (socket_.front() == '@') address->sun_path[0] = '\0';
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&*address),
             size);
}

void ServiceManager::tend(Time now, bool alive) {
    if (now < due_) return;
    if (alive) tell("WATCHDOG=1");
    due_ = now + *interval_;
}

} // namespace natctl
