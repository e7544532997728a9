// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/pipe_pool.h"

#include <array>
#include <utility>

#include <fcntl.h>

namespace natctl {

std::unique_ptr<Pipe> PipePool::take() {
    if (!idle_.empty()) {
        auto pipe = std::move(idle_.back());
        idle_.pop_back();
        return pipe;
    }
    std::array<int, 2> ends{};
    if (open_ == max_pipes_ || ::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
    auto pipe = std::make_unique<Pipe>(Pipe{Fd(ends[0]), Fd(ends[1])});
    // Refused beyond the limits of pipe(7); a pipe of the default size does as well, only slower.
    if (::fcntl(ends[0], F_SETPIPE_SZ, static_cast<int>(pipe_size_)) < 0 &&
        ::fcntl(ends[0], F_GETPIPE_SZ) < static_cast<int>(smallest_pipe))
        return nullptr;
    ++open_;
    return pipe;
}

void PipePool::give_back(std::unique_ptr<Pipe> pipe) {
    if (pipe->held == 0 && idle_.size() < max_idle)
        idle_.push_back(std::move(pipe));
    else
        --open_;
}

} // namespace natctl
