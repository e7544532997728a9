// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace natctl::test {

/// Moves the test program into a new, empty network namespace with lo up, so that no test touches the machine's.
/// The one before disappears with its last socket. Ends the program with code 77 when it may not.
class FreshNamespace {
public:
    FreshNamespace();
};

/// Runs a command of the system in the namespace and returns what it prints; fails the test when it fails.
std::string run(const std::string& command);

/// Gives the text to `nft -f -`.
void load(const std::string& script);

/// The table as nft lists it, without the values of counters.
std::string list_table();

} // namespace natctl::test
