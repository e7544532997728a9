// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "nftctl/base/fd.h"

namespace natctl {

/// A kernel pipe: the place where bytes wait between two sockets without being copied (splice(2)).
struct Pipe {
    Fd read_end;
    Fd write_end;
    /// Bytes in it. The kernel is not asked; whoever splices keeps the count.
    std::size_t held = 0;
};

/// Every pipe of a pool has room for so many bytes, in any number of writes that are a page or more.
inline constexpr std::size_t smallest_pipe = std::size_t{64} << 10;

/// The pipes of one thread. A flow borrows one only while it has bytes on the way, so that an idle flow costs none.
class PipePool {
public:
    /// `pipe_size` in bytes is a wish: the kernel gives an unprivileged user less once his pipes are many (pipe(7)).
    PipePool(std::size_t pipe_size, std::size_t max_pipes) : pipe_size_(pipe_size), max_pipes_(max_pipes) {}

    /// nullptr when there are max_pipes already or the system gives no more: callers must get along without.
    std::unique_ptr<Pipe> take();
    /// Closes a pipe that still holds bytes, keeps an empty one for the next flow.
    void give_back(std::unique_ptr<Pipe> pipe);

    /// How much to ask for in one splice.
    std::size_t pipe_size() const { return pipe_size_; }
    /// Pipes that exist: lent out and idle.
    std::size_t open() const { return open_; }

private:
    /// More idle pipes than this are closed.
    static constexpr std::size_t max_idle = 32;

    std::size_t pipe_size_;
    std::size_t max_pipes_;
    std::size_t open_ = 0;
    std::vector<std::unique_ptr<Pipe>> idle_;
};

} // namespace natctl
