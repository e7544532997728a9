// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>

#include "nftctl/base/address.h"
#include "nftctl/base/mark.h"
#include "nftctl/site/diagnostic.h"

namespace natctl {

// From text to values, with a report of what is wrong with it.

/// Host bits are cleared with a note. IPv4 addresses in IPv6 form (::ffff:192.0.2.1) are refused: they name the same
/// thing twice.
std::optional<Prefix> read_prefix(std::string_view text, Position at, Diagnostics& diagnostics);

/// An address alone.
std::optional<Address> read_address(std::string_view text, Position at, Diagnostics& diagnostics);

std::optional<Endpoint> read_endpoint(std::string_view text, Position at, Diagnostics& diagnostics);

/// Of a site or peer: letters, digits, '-', '_', '.'; 1 to 32 of them. It is part of names of sets, files and metrics.
bool read_name(std::string_view text, Position at, Diagnostics& diagnostics);

/// For people: printable, 1 to 64 bytes.
bool read_host_name(std::string_view text, Position at, Diagnostics& diagnostics);

/// Of an interface: 1 to 15 characters that the kernel allows (dev_valid_name in net/core/dev.c) and nft's syntax and
/// our output need not quote. It need not exist.
bool read_interface(std::string_view text, Position at, Diagnostics& diagnostics);

/// Name of a host in the DNS (RFC 1123, '_' allowed), or an address alone; neither with a port.
bool read_endpoint_name(std::string_view text, Position at, Diagnostics& diagnostics);

/// Whether it could be a name of the DNS; an address is none.
bool is_dns_name(std::string_view text);

/// Of a kernel ipset; there must be room for one more letter (IPSET_MAXNAMELEN, 32 with its end).
bool read_ipset(std::string_view text, Position at, Diagnostics& diagnostics);

/// "0x100/0xff00", or a number alone: all 32 bits. It must tell marked packets from unmarked ones.
std::optional<Mark> read_mark(std::string_view text, Position at, Diagnostics& diagnostics);

/// A user of this machine: a name of 1 to 32 characters, or a number below 2^32 - 1. He need not exist.
bool read_system_user(std::string_view text, Position at, Diagnostics& diagnostics);

/// A path below /sys/fs/cgroup that nft can quote. It need not exist.
bool read_cgroup(std::string_view text, Position at, Diagnostics& diagnostics);

/// User of SOCKS5: 1 to 255 bytes (RFC 1929).
bool read_user(std::string_view text, Position at, Diagnostics& diagnostics);

/// Path of a file: not empty, no control characters, less than PATH_MAX.
bool read_path(std::string_view text, Position at, Diagnostics& diagnostics);
/// The same for a program to run: it begins at the root.
bool read_program(std::string_view text, Position at, Diagnostics& diagnostics);

} // namespace natctl
