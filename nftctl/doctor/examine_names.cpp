// SPDX-License-Identifier: GPL-3.0-or-later
#include <memory>
#include <stdexcept>

#include <netdb.h>
#include <sys/socket.h>

#include "nftctl/doctor/examine.h"

namespace natctl::doctor {

namespace {

/// For glibc's asynchronous resolver: getaddrinfo() itself cannot be given a time limit.
struct Request {
    std::string name;
    addrinfo hints{};
    gaicb block{};

    explicit Request(const std::string& wanted) : name(wanted) {
        hints.ai_socktype = SOCK_STREAM;
        block.ar_name = name.c_str();
        block.ar_request = &hints;
    }
};

void wait(const std::vector<gaicb*>& list, std::chrono::steady_clock::time_point deadline) {
    using std::chrono::milliseconds;
    for (;;) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        std::vector<gaicb*> open;
        for (gaicb* block : list)
            if (::gai_error(block) == EAI_INPROGRESS) open.push_back(block);
        if (open.empty() || left.count() <= 0) return;
        const timespec timeout{.tv_sec = left.count() / 1000, .tv_nsec = left.count() % 1000 * 1000000};
        ::gai_suspend(open.data(), static_cast<int>(open.size()), &timeout);
    }
}

} // namespace

std::map<std::string, std::string> resolve_names(const std::vector<std::string>& names,
                                                 std::chrono::milliseconds patience) {
    std::vector<std::unique_ptr<Request>> requests;
    std::vector<gaicb*> list;
    for (const auto& name : names) {
        if (Address::parse(name)) continue;
        requests.push_back(std::make_unique<Request>(name));
        list.push_back(&requests.back()->block);
    }
    if (list.empty()) return {};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    if (const int error = ::getaddrinfo_a(GAI_NOWAIT, list.data(), static_cast<int>(list.size()), nullptr); error != 0)
        throw std::runtime_error(std::string("cannot resolve names: ") + ::gai_strerror(error));
    wait(list, deadline);

    std::map<std::string, std::string> unresolved;
    for (auto& request : requests) {
        gaicb& block = request->block;
        const int error = ::gai_error(&block);
        if (error == EAI_INPROGRESS) {
            unresolved.emplace(request->name, "the resolver does not answer in time");
            // What cannot be cancelled is still written to: it has to live as long as the program.
            if (::gai_cancel(&block) == EAI_NOTCANCELED) {
                static std::vector<std::unique_ptr<Request>> abandoned;
                abandoned.push_back(std::move(request));
            }
        } else if (error != 0) {
            unresolved.emplace(request->name, ::gai_strerror(error));
        } else if (block.ar_result != nullptr) {
            ::freeaddrinfo(block.ar_result);
        }
    }
    return unresolved;
}

} // namespace natctl::doctor
