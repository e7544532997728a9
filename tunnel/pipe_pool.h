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
    /// Bytes that one splice may put into it when it is empty.
    std::size_t size = 0;
    /// Bytes in it. The kernel is not asked; whoever splices keeps the count.
    std::size_t held = 0;
};

/// Every pipe of a pool has room for so many bytes, in any number of writes that are a page or more.
inline constexpr std::size_t smallest_pipe = std::size_t{64} << 10;
/// What an unprivileged user may have at most, unless somebody changed that (pipe(7), pipe-max-size).
inline constexpr std::size_t large_pipe = std::size_t{1} << 20;

/// The pipes of one thread. A flow borrows one only while it has bytes on the way, so that an idle flow costs none, and
/// readers that keep up share one or two: these are large, which saves time. The kernel lets the pipes of an
/// unprivileged user have 64 MiB, so that many would leave none for others.
class PipePool {
public:
    /// `pipe_size` in bytes is a wish: the kernel gives an unprivileged user less once his pipes are many (pipe(7)).
    /// `max_large` of the `max_pipes` have large_pipe bytes instead.
    PipePool(std::size_t pipe_size, std::size_t max_pipes, std::size_t max_large = 0)
        : pipe_size_(pipe_size),
          max_pipes_(max_pipes),
          max_large_(max_large) {}

    /// nullptr when there are max_pipes already or the system gives no more: callers must get along without.
    std::unique_ptr<Pipe> take();
    /// Closes a pipe that still holds bytes, keeps an empty one for the next flow.
    void give_back(std::unique_ptr<Pipe> pipe);

    /// Pipes that exist: lent out and idle.
    std::size_t open() const { return open_; }

private:
    /// More idle pipes than this are closed.
    static constexpr std::size_t max_idle = 32;

    bool is_large(const Pipe& pipe) const { return pipe.size > pipe_size_; }
    std::unique_ptr<Pipe> make();

    std::size_t pipe_size_;
    std::size_t max_pipes_;
    std::size_t max_large_;
    std::size_t open_ = 0;
    std::size_t large_ = 0;
    std::vector<std::unique_ptr<Pipe>> idle_;
    std::vector<std::unique_ptr<Pipe>> idle_large_;
};

} // namespace natctl
