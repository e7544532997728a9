// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socks5.h"

#include <algorithm>
#include <cassert>

namespace natctl::socks5 {

namespace {

constexpr std::uint8_t version = 5;
/// Of the user/password negotiation (RFC 1929).
constexpr std::uint8_t user_password_version = 1;

constexpr std::uint8_t type_ipv4 = 1;
constexpr std::uint8_t type_name = 3;
constexpr std::uint8_t type_ipv6 = 4;

std::string string_of(View bytes) { return {bytes.begin(), bytes.end()}; }

/// ATYP, address and port, as requests and replies end. A destination of an unknown type is done and empty.
Parsed<std::optional<Destination>> parse_destination(View bytes) {
    using Result = Parsed<std::optional<Destination>>;
    if (bytes.empty()) return Result::incomplete();
    const std::uint8_t type = bytes[0];
    if (type != type_ipv4 && type != type_ipv6 && type != type_name) return {std::nullopt, bytes.size()};
    std::size_t start = 1;
    std::size_t length = type == type_ipv4 ? 4 : 16;
    if (type == type_name) {
        if (bytes.size() < 2) return Result::incomplete();
        start = 2;
        length = bytes[1];
    }
    if (bytes.size() < start + length + 2) return Result::incomplete();
    const View host = bytes.subspan(start, length);
    const View port = bytes.subspan(start + length, 2);
    Destination destination;
    if (type == type_name)
        destination.host = string_of(host);
    else
        destination.host = Address::from_bytes(type == type_ipv4 ? Family::ipv4 : Family::ipv6, host);
    destination.port = static_cast<std::uint16_t>(port[0] << 8 | port[1]);
    return {std::optional(std::move(destination)), start + length + 2};
}

void append(Bytes& bytes, View more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

void append_counted(Bytes& bytes, const std::string& text) {
    assert(!text.empty() && text.size() <= 255);
    bytes.push_back(static_cast<std::uint8_t>(text.size()));
    bytes.insert(bytes.end(), text.begin(), text.end());
}

void append(Bytes& bytes, const Destination& destination) {
    if (const Address* address = destination.address()) {
        bytes.push_back(address->family() == Family::ipv4 ? type_ipv4 : type_ipv6);
        append(bytes, address->bytes());
    } else {
        bytes.push_back(type_name);
        append_counted(bytes, *destination.name());
    }
    bytes.push_back(static_cast<std::uint8_t>(destination.port >> 8));
    bytes.push_back(static_cast<std::uint8_t>(destination.port & 0xff));
}

} // namespace

std::string_view text(Reply reply) {
    switch (reply) {
    case Reply::succeeded: return "succeeded";
    case Reply::general_failure: return "general failure";
    case Reply::not_allowed: return "not allowed by its rules";
    case Reply::network_unreachable: return "network unreachable";
    case Reply::host_unreachable: return "host unreachable";
    case Reply::connection_refused: return "connection refused";
    case Reply::ttl_expired: return "timed out";
    case Reply::command_not_supported: return "command not supported";
    case Reply::address_type_not_supported: return "address type not supported";
    }
    return "failure of an unknown kind";
}

std::string Destination::text() const {
    if (const Address* plain = address()) return Endpoint{*plain, port}.text();
    std::string result;
    for (const char c : *name()) result += c > ' ' && c < 0x7f ? c : '?';
    return result + ":" + std::to_string(port);
}

Parsed<Greeting> parse_greeting(View bytes) {
    if (!bytes.empty() && bytes[0] != version) return Parsed<Greeting>::malformed();
    if (bytes.size() < 2 || bytes.size() < 2u + bytes[1]) return Parsed<Greeting>::incomplete();
    const View methods = bytes.subspan(2, bytes[1]);
    const auto offers = [&](Method method) { return std::ranges::count(methods, static_cast<std::uint8_t>(method)); };
    return {Greeting{offers(Method::none) > 0, offers(Method::user_password) > 0}, 2 + methods.size()};
}

Parsed<UserPassword> parse_user_password(View bytes) {
    if (!bytes.empty() && bytes[0] != user_password_version) return Parsed<UserPassword>::malformed();
    if (bytes.size() < 2) return Parsed<UserPassword>::incomplete();
    const std::size_t user = bytes[1];
    if (bytes.size() < 3 + user) return Parsed<UserPassword>::incomplete();
    const std::size_t password = bytes[2 + user];
    if (bytes.size() < 3 + user + password) return Parsed<UserPassword>::incomplete();
    return {UserPassword{string_of(bytes.subspan(2, user)), string_of(bytes.subspan(3 + user, password))},
            3 + user + password};
}

Parsed<Request> parse_request(View bytes) {
    if (!bytes.empty() && bytes[0] != version) return Parsed<Request>::malformed();
    if (bytes.size() < 4) return Parsed<Request>::incomplete();
    const auto destination = parse_destination(bytes.subspan(3));
    if (!destination.done()) return Parsed<Request>::incomplete();
    return {Request{bytes[1], destination.value()}, 3 + destination.used()};
}

Bytes method_choice(Method method) { return {version, static_cast<std::uint8_t>(method)}; }

Bytes user_password_status(bool good) { return {user_password_version, static_cast<std::uint8_t>(good ? 0 : 1)}; }

Bytes reply(Reply reply, const Endpoint& bound) {
    Bytes bytes{version, static_cast<std::uint8_t>(reply), 0};
    append(bytes, Destination::of(bound));
    return bytes;
}

Bytes greeting(bool with_user_password) {
    const auto none = static_cast<std::uint8_t>(Method::none);
    if (!with_user_password) return {version, 1, none};
    return {version, 2, none, static_cast<std::uint8_t>(Method::user_password)};
}

Bytes greeting(Method method) { return {version, 1, static_cast<std::uint8_t>(method)}; }

Bytes user_password(const UserPassword& credentials) {
    Bytes bytes{user_password_version};
    append_counted(bytes, credentials.user);
    append_counted(bytes, credentials.password);
    return bytes;
}

Bytes request(Command command, const Destination& destination) {
    Bytes bytes{version, static_cast<std::uint8_t>(command), 0};
    append(bytes, destination);
    return bytes;
}

Parsed<std::uint8_t> parse_method_choice(View bytes) {
    if (!bytes.empty() && bytes[0] != version) return Parsed<std::uint8_t>::malformed();
    if (bytes.size() < 2) return Parsed<std::uint8_t>::incomplete();
    return {bytes[1], 2};
}

Parsed<bool> parse_user_password_status(View bytes) {
    // The version is not looked at: old servers answer with 5.
    if (bytes.size() < 2) return Parsed<bool>::incomplete();
    return {bytes[1] == 0, 2};
}

Parsed<ReplyMessage> parse_reply(View bytes) {
    if (!bytes.empty() && bytes[0] != version) return Parsed<ReplyMessage>::malformed();
    if (bytes.size() < 2) return Parsed<ReplyMessage>::incomplete();
    const auto code = static_cast<Reply>(bytes[1]);
    if (code != Reply::succeeded) return {ReplyMessage{code, {}}, bytes.size()};
    if (bytes.size() < 4) return Parsed<ReplyMessage>::incomplete();
    const auto bound = parse_destination(bytes.subspan(3));
    if (!bound.done()) return Parsed<ReplyMessage>::incomplete();
    if (!bound.value()) return Parsed<ReplyMessage>::malformed();
    return {ReplyMessage{code, *bound.value()}, 3 + bound.used()};
}

std::optional<DatagramHeader> parse_datagram(View bytes) {
    if (bytes.size() < 4) return std::nullopt;
    const auto destination = parse_destination(bytes.subspan(3));
    if (!destination.done() || !destination.value()) return std::nullopt;
    return DatagramHeader{bytes[2], *destination.value(), 3 + destination.used()};
}

DatagramPrefix::DatagramPrefix(const Destination& destination) {
    auto end = std::fill_n(bytes_.begin(), 3, std::uint8_t{0});
    if (const Address* address = destination.address()) {
        *end++ = address->family() == Family::ipv4 ? type_ipv4 : type_ipv6;
        end = std::ranges::copy(address->bytes(), end).out;
    } else {
        const std::string& name = *destination.name();
        assert(!name.empty() && name.size() <= 255);
        *end++ = type_name;
        *end++ = static_cast<std::uint8_t>(name.size());
        end = std::ranges::copy(name, end).out;
    }
    *end++ = static_cast<std::uint8_t>(destination.port >> 8);
    *end++ = static_cast<std::uint8_t>(destination.port & 0xff);
    size_ = static_cast<std::size_t>(end - bytes_.begin());
}

std::optional<Endpoint> relay_endpoint(const Destination& bound, const Endpoint& server) {
    if (bound.port == 0) return std::nullopt;
    std::optional<Address> address;
    if (bound.address())
        address = bound.address()->unmapped();
    else
        address = Address::parse(*bound.name());
    if (!address || address->is_unspecified() || (address->is_loopback() && !server.address.is_loopback()))
        address = server.address;
    return Endpoint{*address, bound.port};
}

} // namespace natctl::socks5
