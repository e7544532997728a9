// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/pipe_pool.h"

#include <array>
#include <utility>

#include <fcntl.h>

namespace natctl {

namespace {

std::unique_ptr<Pipe> last_of(std::vector<std::unique_ptr<Pipe>>& pipes) {
    auto pipe = std::move(pipes.back());
    pipes.pop_back();
    return pipe;
}

bool set_size(Pipe& pipe, std::size_t size) {
    const int now = ::fcntl(pipe.read_end.get(), F_SETPIPE_SZ, static_cast<int>(size));
    if (now < 0) return false;
    pipe.size = static_cast<std::size_t>(now);
    return true;
}

/// Refused beyond the limits of pipe(7); a pipe of the default size does as well, only slower.
bool keeps_default_size(Pipe& pipe) {
    pipe.size = static_cast<std::size_t>(::fcntl(pipe.read_end.get(), F_GETPIPE_SZ));
    return pipe.size >= smallest_pipe;
}

} // namespace

std::unique_ptr<Pipe> PipePool::take() {
    if (!idle_large_.empty()) return last_of(idle_large_);
    if (large_ == max_large_ && !idle_.empty()) return last_of(idle_);
    return make();
}

std::unique_ptr<Pipe> PipePool::make() {
    std::array<int, 2> ends{};
    if (open_ == max_pipes_ || ::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
    auto pipe = std::make_unique<Pipe>(Pipe{Fd(ends[0]), Fd(ends[1])});
    if (large_ < max_large_ && !set_size(*pipe, large_pipe)) max_large_ = large_;
    if (pipe->size == 0 && !set_size(*pipe, pipe_size_) && !keeps_default_size(*pipe)) return nullptr;
    ++open_;
    if (is_large(*pipe)) ++large_;
    return pipe;
}

void PipePool::give_back(std::unique_ptr<Pipe> pipe) {
    auto& idle = is_large(*pipe) ? idle_large_ : idle_;
    if (pipe->held == 0 && idle.size() < max_idle) {
        idle.push_back(std::move(pipe));
        return;
    }
    --open_;
    if (is_large(*pipe)) --large_;
}

} // namespace natctl
