// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdexcept>
#include <string>

namespace natctl {

// Three kinds of failure, three tools. Expected ones (not found, peer closed) are return values. A refusal of the
// system is a SystemError. A bug of ours is an assert.

/// The system refused something. what() reads "cannot VERB OBJECT: CAUSE", followed by "; REMEDY" when one is known.
class SystemError : public std::runtime_error {
public:
    /// `verb` in the infinitive ("open"), `object` as the user knows it ("/etc/natctl/site.toml"), `error` an errno.
    SystemError(const std::string& verb, const std::string& object, int error, const std::string& remedy = {});

    int error() const { return error_; }

private:
    int error_;
};

/// Passes a system call's result through; throws SystemError with errno when it is negative.
template <class T>
T check(T result, const char* verb, const std::string& object);

[[noreturn]] void throw_errno(const char* verb, const std::string& object);

template <class T>
T check(T result, const char* verb, const std::string& object) {
    if (result < 0) throw_errno(verb, object);
    return result;
}

} // namespace natctl
