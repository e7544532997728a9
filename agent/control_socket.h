// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "agent/loop.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// A Unix socket where lines come in and answers go out. Root and one group may connect. Nothing more is read from a
/// client until it has taken its answer, whatever the size of that; one that watches and reads too little is dropped,
/// and so is the oldest one when there are too many.
class ControlSocket {
public:
    struct Answer {
        /// Lines with their breaks.
        std::string text;
        /// The client gets what tell() says from now on.
        bool watches = false;
    };
    /// May call tell(). `user`: a number as in passwd(5), of the process that connected (SO_PEERCRED, unix(7)).
    using OnLine = std::function<Answer(std::string_view line, uid_t user)>;

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
        uid_t user = 0;
        bool watches = false;
        /// Nothing more is read from it.
        bool ending = false;
        /// It is to be dropped.
        bool lost = false;
        std::string in = {};
        std::string out = {};
        /// Bytes that tell() added since `out` was empty.
        std::size_t told = 0;
    };

    void accept();
    void serve(int fd, std::uint32_t events);
    void read(Client& client);
    /// As long as what is answered is taken.
    void answer_lines(Client& client);
    /// Sends what can be sent.
    void flush(Client& client);
    /// Waits for what comes next, or drops it.
    void settle(int fd);
    void drop(int fd);
    void drop_oldest();

    Loop& loop_;
    std::string path_;
    std::string hello_;
    OnLine on_line_;
    Fd listener_;
    std::map<int, Client> clients_;
    /// Whose lines are being answered: tell() may not drop it.
    const Client* served_ = nullptr;
    std::uint64_t next_ = 0;
};

} // namespace natctl
