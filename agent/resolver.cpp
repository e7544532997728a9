// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/resolver.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include <ares.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

/// For each server and attempt; with each further attempt c-ares waits longer.
constexpr int timeout_milliseconds = 2000;
constexpr int attempts = 2;

NameAnswer answer_of(int status, const ares_addrinfo* found) {
    if (status == ARES_ENODATA) return {.kind = NameAnswer::Kind::none};
    if (status != ARES_SUCCESS || !found) return {.cause = ::ares_strerror(status)};
    NameAnswer answer{.kind = NameAnswer::Kind::addresses};
    int ttl = -1;
    const auto shorten = [&ttl](int other) { ttl = ttl < 0 ? other : std::min(ttl, other); };
    for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
        answer.addresses.push_back(endpoint_of(node->ai_addr).address);
        shorten(node->ai_ttl);
    }
    for (const auto* alias = found->cnames; alias != nullptr; alias = alias->next) shorten(alias->ttl);
    answer.ttl = std::chrono::seconds(std::max(ttl, 0));
    return answer.addresses.empty() ? NameAnswer{.kind = NameAnswer::Kind::none} : answer;
}

} // namespace

struct Resolver::Asked {
    Resolver* resolver;
    Question question;
};

void Resolver::Close::operator()(ares_channeldata* channel) const { ::ares_destroy(channel); }

Resolver::Resolver(Loop& loop, OnAnswer on_answer) : loop_(loop), on_answer_(std::move(on_answer)) {
    if (const int status = ::ares_library_init(ARES_LIB_INIT_ALL); status != ARES_SUCCESS)
        throw SystemError("start", std::string("the resolver (") + ::ares_strerror(status) + ")", ENOMEM);
}

Resolver::~Resolver() {
    channel_.reset();
    ::ares_library_cleanup();
}

bool Resolver::open() {
    if (channel_) return true;
    ares_options options{};
    options.timeout = timeout_milliseconds;
    options.tries = attempts;
    options.sock_state_cb_data = this;
    options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
        static_cast<Resolver*>(self)->watch(fd, readable != 0, writable != 0);
    };
    ares_channel channel = nullptr;
    if (::ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) !=
        ARES_SUCCESS)
        return false;
    channel_.reset(channel);
    return true;
}

void Resolver::ask(const Question& question) {
    if (!open()) {
        on_answer_(question, {.cause = "no memory or descriptors for a resolver"});
        return;
    }
    ares_addrinfo_hints hints{};
    hints.ai_family = address_family(question.family);
    // The order says nothing here, and finding it would take sockets.
    hints.ai_flags = ARES_AI_NOSORT;
    ++open_;
    const bool within = std::exchange(busy_, true);
    ::ares_getaddrinfo(
        channel_.get(), question.name.c_str(), nullptr, &hints,
        [](void* data, int status, int, ares_addrinfo* found) {
            const std::unique_ptr<ares_addrinfo, decltype(&::ares_freeaddrinfo)> owner(found, ::ares_freeaddrinfo);
            const std::unique_ptr<Asked> asked(static_cast<Asked*>(data));
            --asked->resolver->open_;
            // The resolver itself is going.
            if (status == ARES_EDESTRUCTION) return;
            asked->resolver->on_answer_(asked->question, answer_of(status, found));
        },
        new Asked{this, question});
    busy_ = within;
    close_if_idle();
}

void Resolver::close_if_idle() {
    if (open_ == 0 && !busy_) channel_.reset();
}

void Resolver::watch(int fd, bool readable, bool writable) {
    if (!readable && !writable) {
        loop_.forget(fd);
        return;
    }
    const std::uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
    loop_.watch(fd, events, [this, fd](std::uint32_t ready) { process(fd, ready); });
}

void Resolver::process(int fd, std::uint32_t events) {
    if (!channel_) return;
    const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    busy_ = true;
    ::ares_process_fd(channel_.get(), failed || (events & EPOLLIN) != 0 ? fd : ARES_SOCKET_BAD,
                      (events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
    busy_ = false;
    close_if_idle();
}

Loop::Clock::time_point Resolver::due() const {
    if (!channel_) return Loop::Clock::time_point::max();
    timeval left{};
    if (::ares_timeout(channel_.get(), nullptr, &left) == nullptr) return Loop::Clock::time_point::max();
    return Loop::Clock::now() + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
}

void Resolver::tend() {
    if (!channel_) return;
    busy_ = true;
    ::ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    busy_ = false;
    close_if_idle();
}

} // namespace natctl
