// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

namespace natctl {

/// What is wrong with a file of a secret, and what to do. Both are text for people, already escaped.
struct SecretProblem {
    std::string cause;
    std::string remedy;
};

/// nullopt when read_secret() would succeed now. `noun` is what the file holds, for messages.
std::optional<SecretProblem> find_secret_problem(const std::string& path, const char* noun = "password");

/// The first line of the file, without its line break: 1 to 255 bytes (RFC 1929). What the file is and who may read it
/// is asked of the opened file, not of the path. Throws SystemError: EACCES when the group or others may read it,
/// EINVAL when it is no regular file or the line is empty or too long.
std::string read_secret(const std::string& path, const char* noun = "password");

} // namespace natctl
