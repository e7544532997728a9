// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nftctl/base/address.h"

/// The messages of SOCKS5 (RFC 1928) and its user/password method (RFC 1929), as values and as bytes.
namespace natctl::socks5 {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

enum class Method : std::uint8_t { none = 0x00, user_password = 0x02, refused = 0xff };

enum class Command : std::uint8_t { connect = 0x01, bind = 0x02, udp_associate = 0x03 };

/// REP of RFC 1928, section 6. Servers may send others; those are kept as they came.
enum class Reply : std::uint8_t {
    succeeded = 0x00,
    general_failure = 0x01,
    not_allowed = 0x02,
    network_unreachable = 0x03,
    host_unreachable = 0x04,
    connection_refused = 0x05,
    ttl_expired = 0x06,
    command_not_supported = 0x07,
    address_type_not_supported = 0x08,
};

/// In words, for messages.
std::string_view text(Reply reply);

/// Where to: an address or a name (0 to 255 bytes of anything the other side chose), and a port.
struct Destination {
    std::variant<Address, std::string> host;
    std::uint16_t port = 0;

    static Destination of(const Endpoint& endpoint) { return {endpoint.address, endpoint.port}; }
    const Address* address() const { return std::get_if<Address>(&host); }
    const std::string* name() const { return std::get_if<std::string>(&host); }
    /// Printable whatever the name holds.
    std::string text() const;
    bool operator==(const Destination&) const = default;
};

/// What the bytes received so far amount to. Parsers look at all of them each time: no message is above 515 bytes.
template <class T>
class Parsed {
public:
    static Parsed incomplete() { return {}; }
    static Parsed malformed() {
        Parsed parsed;
        parsed.malformed_ = true;
        return parsed;
    }
    Parsed(T value, std::size_t used) : value_(std::move(value)), used_(used) {}

    bool is_malformed() const { return malformed_; }
    bool done() const { return value_.has_value(); }
    const T& value() const { return *value_; }
    /// Bytes the message took; what follows belongs to the next one.
    std::size_t used() const { return used_; }

private:
    Parsed() = default;

    std::optional<T> value_;
    std::size_t used_ = 0;
    bool malformed_ = false;
};

// What a server reads.

struct Greeting {
    bool none = false;
    bool user_password = false;
    bool operator==(const Greeting&) const = default;
};

struct UserPassword {
    std::string user;
    std::string password;
    bool operator==(const UserPassword&) const = default;
};

struct Request {
    /// A Command, or a number that is none.
    std::uint8_t command = 0;
    /// nullopt: of an unknown type, whose length nobody knows.
    std::optional<Destination> destination;
    bool operator==(const Request&) const = default;
};

Parsed<Greeting> parse_greeting(View bytes);
Parsed<UserPassword> parse_user_password(View bytes);
Parsed<Request> parse_request(View bytes);

// What a server writes.

Bytes method_choice(Method method);
/// RFC 1929: status 0 is success.
Bytes user_password_status(bool good);
Bytes reply(Reply reply, const Endpoint& bound = {});

// What a client writes.

/// Offers user/password beside "none" when there are credentials.
Bytes greeting(bool with_user_password);
/// Offers nothing else.
Bytes greeting(Method method);
/// Both parts have 1 to 255 bytes.
Bytes user_password(const UserPassword& credentials);
/// A name has 1 to 255 bytes.
Bytes request(Command command, const Destination& destination);

// What a client reads.

struct ReplyMessage {
    Reply reply = Reply::general_failure;
    Destination bound;
    bool operator==(const ReplyMessage&) const = default;
};

/// The method byte as it came.
Parsed<std::uint8_t> parse_method_choice(View bytes);
/// True for success.
Parsed<bool> parse_user_password_status(View bytes);
/// A refusal counts from its second byte on: some servers cut the rest.
Parsed<ReplyMessage> parse_reply(View bytes);

// Datagrams between a client and its relay (RFC 1928, section 7), each of them whole.

struct DatagramHeader {
    /// FRAG; 0: the datagram stands alone.
    std::uint8_t fragment = 0;
    /// Where it goes, or where it came from.
    Destination destination;
    /// Bytes in front of the payload.
    std::size_t size = 0;
    bool operator==(const DatagramHeader&) const = default;
};

/// nullopt: too short for what it says, or an address of an unknown type. The reserved bytes are not looked at.
std::optional<DatagramHeader> parse_datagram(View bytes);

/// The header of a datagram that stands alone.
class DatagramPrefix {
public:
    /// A name has 1 to 255 bytes.
    explicit DatagramPrefix(const Destination& destination);
    View bytes() const { return {bytes_.data(), size_}; }

private:
    std::array<std::uint8_t, 3 + 1 + 1 + 255 + 2> bytes_;
    std::size_t size_;
};

/// Where to send datagrams after `bound` was the reply to UDP ASSOCIATE of the proxy at `server`: an address that can
/// only mean the proxy itself (unspecified, loopback for one that is elsewhere, a name) stands for the proxy's.
/// nullopt: it names no port.
std::optional<Endpoint> relay_endpoint(const Destination& bound, const Endpoint& server);

} // namespace natctl::socks5
