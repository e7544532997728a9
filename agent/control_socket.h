// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/loop.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// A Unix socket where lines come in and answers go out. Root and one group may connect. Clients that send too much or
/// read too little are dropped, and so is the oldest one when there are too many.
class ControlSocket {
public:
    struct Answer {
        /// Lines with their breaks.
        std::string text;
        /// The client gets what tell() says from now on.
        bool watches = false;
    };
    using OnLine = std::function<Answer(std::string_view line, bool from_root)>;

    /// `group`: a name, or empty for root's. Replaces the file of an agent that was killed. `hello` is sent to
    /// everybody who connects. Throws SystemError.
    ControlSocket(Loop& loop, std::string path, const std::string& group, std::string hello, OnLine on_line);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    /// To all who watch.
    void tell(const std::string& text);

private:
    struct Client {
        Fd socket;
        /// Counts up: the smallest number is the oldest client.
        std::uint64_t number = 0;
        /// As it connected (SO_PEERCRED, unix(7)).
        bool is_root = false;
        bool watches = false;
        /// Nothing more is read from it.
        bool ending = false;
        std::string in = {};
        std::string out = {};
    };

    void accept();
    void serve(int fd, std::uint32_t events);
    /// False: it is gone.
    bool read(Client& client);
    void answer_lines(Client& client);
    /// Sends what can be sent. False: it reads too little, or is gone.
    bool flush(Client& client);
    void drop(int fd);
    void drop_oldest();

    Loop& loop_;
    std::string path_;
    std::string hello_;
    OnLine on_line_;
    Fd listener_;
    std::map<int, Client> clients_;
    std::uint64_t next_ = 0;
};

} // namespace natctl
