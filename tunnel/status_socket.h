// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>

namespace natctl {

/// A Unix socket that tells whoever connects how things stand, and hangs up. It takes no requests. Only root and the
/// group of its file may connect.
class StatusSocket {
public:
    /// `text` is called for each connection. Makes the folder when it is missing; a file left by a program that was
    /// killed is replaced. Throws SystemError.
    StatusSocket(asio::io_context& io, std::string path, std::function<std::string()> text);
    ~StatusSocket();
    StatusSocket(const StatusSocket&) = delete;
    StatusSocket& operator=(const StatusSocket&) = delete;

private:
    using Acceptor = asio::local::stream_protocol::acceptor;

    void accept();

    std::string path_;
    std::function<std::string()> text_;
    Acceptor acceptor_;
};

} // namespace natctl
