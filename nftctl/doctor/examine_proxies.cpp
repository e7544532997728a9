// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>
#include <cerrno>
#include <future>
#include <span>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"
#include "nftctl/doctor/examine.h"
#include "nftctl/site/each_link.h"
#include "nftctl/site/secret.h"
#include "nftctl/socket/socket_address.h"

namespace natctl::doctor {

namespace {

using Kind = ProxyAnswer::Kind;
using Deadline = std::chrono::steady_clock::time_point;
using Bytes = std::vector<std::uint8_t>;

/// More proxies than this at once would need more threads than is decent.
constexpr std::size_t most_proxies = 256;

/// False: not within the deadline.
bool wait(int fd, short events, Deadline deadline) {
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd poll{.fd = fd, .events = events, .revents = 0};
        const int ready = ::poll(&poll, 1, static_cast<int>(left.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

/// 0, or an errno.
int connect(int fd, const Endpoint& endpoint, Deadline deadline) {
    const SocketAddress address(endpoint);
    if (::connect(fd, address.data(), address.size()) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    if (!wait(fd, POLLOUT, deadline)) return ETIMEDOUT;
    int error = 0;
    socklen_t length = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

enum class Said : std::uint8_t { answer, nothing, hung_up };

/// Sends the bytes and reads two, which every step of the greeting is answered by (RFC 1928, section 3; RFC 1929).
Said ask(int fd, const Bytes& question, std::array<std::uint8_t, 2>& answer, Deadline deadline) {
    if (::send(fd, question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size()))
        return Said::hung_up;
    std::size_t size = 0;
    while (size < answer.size()) {
        if (!wait(fd, POLLIN, deadline)) return Said::nothing;
        const auto count = ::recv(fd, answer.data() + size, answer.size() - size, 0);
        if (count > 0) size += static_cast<std::size_t>(count);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return Said::hung_up;
    }
    return Said::answer;
}

void append(Bytes& bytes, const std::string& counted) {
    bytes.push_back(static_cast<std::uint8_t>(counted.size()));
    bytes.insert(bytes.end(), counted.begin(), counted.end());
}

ProxyAnswer knock(const SocksLink& link, std::uint32_t mark, Deadline deadline) {
    constexpr std::uint8_t version = 5;
    constexpr std::uint8_t guest = 0;
    constexpr std::uint8_t by_password = 2;
    std::string password;
    if (link.credentials) {
        if (const auto problem = find_secret_problem(link.credentials->password_file))
            return {.link = link, .kind = Kind::no_secret, .cause = problem->cause};
        password = read_secret(link.credentials->password_file);
    }
    const int family = address_family(link.server.address.family());
    const Fd socket(check(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "create", "a socket"));
    // As natctl-tunnel's own connections, so that nothing intercepts it. Without the right to it is not marked.
    ::setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark);
    if (const int error = connect(socket.get(), link.server, deadline); error != 0)
        return {.link = link, .kind = Kind::unreachable, .cause = std::generic_category().message(error)};

    std::array<std::uint8_t, 2> answer{};
    const auto of_silence = [&](Said said) {
        return ProxyAnswer{.link = link, .kind = said == Said::nothing ? Kind::silent : Kind::no_socks5};
    };
    const std::uint8_t method = link.credentials ? by_password : guest;
    Said said = ask(socket.get(), {version, 1, method}, answer, deadline);
    if (said != Said::answer) return of_silence(said);
    if (answer[0] != version) return {.link = link, .kind = Kind::no_socks5};
    if (answer[1] != method) return {.link = link, .kind = Kind::wants_password};
    if (!link.credentials) return {.link = link};

    Bytes login{1};
    append(login, link.credentials->user);
    append(login, password);
    said = ask(socket.get(), login, answer, deadline);
    // Many proxies hang up instead of saying no.
    if (said == Said::hung_up || (said == Said::answer && answer[1] != 0))
        return {.link = link, .kind = Kind::wrong_password};
    return said == Said::nothing ? of_silence(said) : ProxyAnswer{.link = link};
}

} // namespace

std::vector<ProxyAnswer> ask_proxies(const Site& site, std::chrono::milliseconds patience) {
    std::vector<const SocksLink*> links;
    const auto same = [](const SocksLink& a, const SocksLink& b) {
        const auto user = [](const SocksLink& link) { return link.credentials ? link.credentials->user : ""; };
        return a.server == b.server && user(a) == user(b);
    };
    const auto add = [&](const SocksLink& link) {
        for (const SocksLink* known : links)
            if (same(*known, link)) return;
        if (links.size() < most_proxies) links.push_back(&link);
    };
    for_each_link<SocksLink>(site, [&](const Peer&, const SocksLink& link) { add(link); });
    if (site.intercept) add(site.intercept->proxy);

    const Deadline deadline = std::chrono::steady_clock::now() + patience;
    const std::uint32_t mark = site.marks.bypass().value;
    std::vector<std::future<ProxyAnswer>> waiting;
    for (const SocksLink* link : links)
        waiting.push_back(
            std::async(std::launch::async, [link, mark, deadline] { return knock(*link, mark, deadline); }));
    std::vector<ProxyAnswer> answers;
    for (auto& answer : waiting) answers.push_back(answer.get());
    return answers;
}

} // namespace natctl::doctor
