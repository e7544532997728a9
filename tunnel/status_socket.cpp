// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/status_socket.h"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"

namespace natctl {

namespace {

/// Whoever does not read is no reason to keep anything.
constexpr auto patience = std::chrono::seconds(5);

Fd listen_at(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) throw SystemError("create", std::filesystem::path(path).parent_path().string(), error.value());
    const std::string fresh = path + ".new";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (fresh.size() >= sizeof address.sun_path)
        throw SystemError("listen at", path, ENAMETOOLONG, "give a shorter --run-dir");
    fresh.copy(address.sun_path, fresh.size());
    ::unlink(fresh.c_str());
    Fd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "create", "a Unix socket"));
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind", path);
    // Nobody can connect before listen().
    check(::chmod(fresh.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP), "protect", path);
    check(::listen(socket.get(), 16), "listen at", path);
    check(::rename(fresh.c_str(), path.c_str()), "create", path);
    return socket;
}

/// One answer on its way.
struct Answer {
    asio::local::stream_protocol::socket socket;
    asio::steady_timer timer;
    std::string text;
};

} // namespace

StatusSocket::StatusSocket(asio::io_context& io, std::string path, std::function<std::string()> text)
    : path_(std::move(path)),
      text_(std::move(text)),
      acceptor_(io, asio::local::stream_protocol(), listen_at(path_).release()) {
    accept();
}

StatusSocket::~StatusSocket() { ::unlink(path_.c_str()); }

void StatusSocket::accept() {
    acceptor_.async_accept([this](const std::error_code& error, asio::local::stream_protocol::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (!error) {
            auto answer = std::make_shared<Answer>(
                Answer{std::move(socket), asio::steady_timer(acceptor_.get_executor(), patience), text_()});
            answer->timer.async_wait([answer](const std::error_code& cancelled) {
                std::error_code ignored;
                if (!cancelled) answer->socket.close(ignored);
            });
            asio::async_write(answer->socket, asio::buffer(answer->text),
                              [answer](const std::error_code&, std::size_t) { answer->timer.cancel(); });
        }
        accept();
    });
}

} // namespace natctl
