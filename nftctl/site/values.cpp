// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/values.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <system_error>

#include <fmt/format.h>

#include "nftctl/site/quote.h"

namespace natctl {

namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool has_unprintable(std::string_view text) {
    while (!text.empty()) {
        const auto point = first_code_point(text);
        if (!point.valid || is_unprintable(point.value)) return true;
        text.remove_prefix(point.length);
    }
    return false;
}

/// True, with a report, for ::ffff:a.b.c.d.
bool refuse_mapped(const Prefix& prefix, std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto unmapped = prefix.network().unmapped();
    if (unmapped == prefix.network() || prefix.length() < 96) return false;
    diagnostics.error(
        at, fmt::format("{} is an IPv4 address in IPv6 form", quote(text)),
        fmt::format("write {}", prefix.is_host() ? unmapped.text() : Prefix(unmapped, prefix.length() - 96).text()));
    return true;
}

bool refuse_mapped(const Address& address, std::string_view text, Position at, Diagnostics& diagnostics) {
    return refuse_mapped(Prefix(address, address.bits()), text, at, diagnostics);
}

bool is_host_label(std::string_view label) {
    const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; };
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, allowed);
}

/// Decimal, or hexadecimal after 0x.
std::optional<std::uint32_t> parse_number(std::string_view text) {
    const int base = text.starts_with("0x") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string_view prefix_remedy(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        return "write an address, 192.168.1.20, or a prefix, 192.168.1.0/24 or fd00:1::/64; names are not looked up";
    if (!Address::parse(text.substr(0, slash)))
        return "what stands before the slash is no address; write a prefix as 192.168.1.0/24 or fd00:1::/64";
    return "the length after the slash is a number from 0 to 32, with IPv6 to 128; netmasks are not understood";
}

} // namespace

std::optional<Prefix> read_prefix(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) {
        diagnostics.error(at, fmt::format("{} is no address or prefix", quote(text)), std::string(prefix_remedy(text)));
        return std::nullopt;
    }
    if (refuse_mapped(*prefix, text, at, diagnostics)) return std::nullopt;
    if (const auto slash = text.find('/');
        slash != std::string_view::npos && *Address::parse(text.substr(0, slash)) != prefix->network())
        diagnostics.note(at, fmt::format("{} is taken as {}", quote(text), prefix->text()));
    return prefix;
}

std::optional<Address> read_address(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto address = Address::parse(text);
    if (!address) {
        diagnostics.error(at, fmt::format("{} is no address", quote(text)),
                          "write an address alone, 198.51.100.2 or 2001:db8::2; names are not looked up");
        return std::nullopt;
    }
    if (refuse_mapped(*address, text, at, diagnostics)) return std::nullopt;
    return address;
}

std::optional<Endpoint> read_endpoint(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) {
        diagnostics.error(at, fmt::format("{} is no address with a port", quote(text)),
                          "write ADDRESS:PORT, 127.0.0.1:1080 or [::1]:1080; names are not looked up");
        return std::nullopt;
    }
    if (refuse_mapped(endpoint->address, text, at, diagnostics)) return std::nullopt;
    return endpoint;
}

bool read_name(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; };
    if (!text.empty() && text.size() <= 32 && std::ranges::all_of(text, allowed)) return true;
    diagnostics.error(at, fmt::format("{} cannot be a name", quote(text)),
                      "a name is 1 to 32 letters (a-z), digits, '-', '_' or '.'");
    return false;
}

bool read_host_name(std::string_view text, Position at, Diagnostics& diagnostics) {
    if (!text.empty() && text.size() <= 64 && !has_unprintable(text)) return true;
    diagnostics.error(at, fmt::format("{} cannot be the name of a host", quote(text)),
                      "the name of a host is 1 to 64 bytes of printable text");
    return false;
}

bool read_interface(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto allowed = [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("/:*\"\\").find(c) == std::string_view::npos;
    };
    if (!text.empty() && text.size() <= 15 && text != "." && text != ".." && std::ranges::all_of(text, allowed))
        return true;
    diagnostics.error(
        at, fmt::format("{} cannot be the name of an interface", quote(text)),
        "write a name as `ip link` shows it, without '@' and what follows: 1 to 15 characters, no blanks, "
        "none of / : * \" \\");
    return false;
}

// Four numbers are no name: they are meant to be an address.
bool is_dns_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty() || name.size() > 253) return false;
    for (;;) {
        const auto dot = name.find('.');
        const auto label = name.substr(0, dot);
        if (!is_host_label(label)) return false;
        if (dot == std::string_view::npos) return label.find_first_not_of("0123456789") != std::string_view::npos;
        name.remove_prefix(dot + 1);
    }
}

bool read_endpoint_name(std::string_view text, Position at, Diagnostics& diagnostics) {
    if (const auto address = Address::parse(text)) return !refuse_mapped(*address, text, at, diagnostics);
    if (is_dns_name(text)) return true;
    std::string remedy = "write a name that the DNS knows, proxy.example.net, or an address, 203.0.113.5";
    if (Endpoint::parse(text) ||
        (text.find(':') != std::string_view::npos && is_dns_name(text.substr(0, text.find(':')))))
        remedy = "leave the port out: the white list holds addresses";
    else if (Prefix::parse(text))
        remedy = "put prefixes under prefixes = [...]";
    diagnostics.error(at, fmt::format("{} is neither the name of a host nor an address", quote(text)), remedy);
    return false;
}

bool read_ipset(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; };
    if (!text.empty() && text.size() <= 30 && std::ranges::all_of(text, allowed)) return true;
    diagnostics.error(at, fmt::format("{} cannot be the name of an ipset", quote(text)),
                      "write 1 to 30 letters (a-z), digits, '-', '_' or '.'; the set for IPv6 has a 6 after it");
    return false;
}

std::optional<Mark> read_mark(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto slash = text.find('/');
    const auto value = parse_number(text.substr(0, slash));
    const auto mask =
        slash == std::string_view::npos ? std::optional(0xffffffffu) : parse_number(text.substr(slash + 1));
    std::string problem;
    if (!value || !mask)
        problem = "is no mark";
    else if ((*value & ~*mask) != 0)
        problem = "has bits outside of its mask: no packet has it";
    else if (*value == 0)
        problem = "is what packets without a mark have: nothing would be intercepted";
    if (problem.empty()) return Mark{*value, *mask};
    diagnostics.error(at, fmt::format("{} {}", quote(text), problem),
                      R"(write VALUE/MASK, "0x100/0xff00", or a number, 255)");
    return std::nullopt;
}

bool read_system_user(std::string_view text, Position at, Diagnostics& diagnostics) {
    const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '$'; };
    const bool numeric = text.find_first_not_of("0123456789") == std::string_view::npos;
    // The last number means "no user" (chown(2)).
    const auto id = parse_number(text);
    if (numeric ? id && *id != 0xffffffff
                : text.size() <= 32 && text.front() != '-' && std::ranges::all_of(text, allowed))
        return true;
    diagnostics.error(at, fmt::format("{} cannot be a user of this machine", quote(text)),
                      R"(write a name as in /etc/passwd, "xray", or a number)");
    return false;
}

bool read_cgroup(std::string_view text, Position at, Diagnostics& diagnostics) {
    constexpr std::string_view root = "/sys/fs/cgroup/";
    std::string remedy = R"(write its path below /sys/fs/cgroup: "system.slice/xray.service")";
    bool sound = !text.empty() && text.size() <= 1024 && !has_unprintable(text) && text.find('"') == text.npos;
    for (auto rest = text; sound;) {
        const auto slash = rest.find('/');
        const auto part = rest.substr(0, slash);
        sound = !part.empty() && part != "." && part != "..";
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    if (sound) return true;
    if (text.starts_with(root) && text.size() > root.size()) remedy = fmt::format("leave {} out", root);
    diagnostics.error(at, fmt::format("{} cannot be a control group", quote(text)), remedy);
    return false;
}

bool read_user(std::string_view text, Position at, Diagnostics& diagnostics) {
    if (!text.empty() && text.size() <= 255) return true;
    diagnostics.error(at, fmt::format("a user name of {} bytes", text.size()), "SOCKS5 allows 1 to 255 bytes");
    return false;
}

bool read_program(std::string_view text, Position at, Diagnostics& diagnostics) {
    if (text.starts_with('/') && text.size() < PATH_MAX && !has_unprintable(text)) return true;
    diagnostics.error(at, fmt::format("{} cannot be a program", quote(text)),
                      "write its whole path, as \"/usr/bin/xray\"");
    return false;
}

bool read_path(std::string_view text, Position at, Diagnostics& diagnostics) {
    if (!text.empty() && text.size() < PATH_MAX && !has_unprintable(text)) return true;
    diagnostics.error(at, fmt::format("{} cannot be a file", quote(text)),
                      "write a path as \"/etc/natctl/b.password\", or one relative to the folder of this file");
    return false;
}

} // namespace natctl
