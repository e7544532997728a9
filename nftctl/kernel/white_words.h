// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/kernel/run_time_list.h"
#include "nftctl/site/site.h"

namespace natctl {

// What people write behind `natctl whitelist add` and `del`, and what it does to the list. Everything throws
// std::invalid_argument with the way out.

/// One word of the command line.
struct WhiteWord {
    std::string text;
    /// Host bits are cleared. Absent: it is the name of a host.
    std::optional<Prefix> prefix = {};
    bool operator==(const WhiteWord&) const = default;
};

/// A prefix, an address, or a name that could be one of the DNS.
WhiteWord white_word(const std::string& text);

/// What is to be added for the words. `look_up` gives the addresses of a name; a name that has none is refused.
std::vector<RunTimeRecord> records_for(const std::vector<WhiteWord>& words,
                                       std::optional<std::chrono::nanoseconds> deadline,
                                       const std::function<std::vector<Address>(const std::string&)>& look_up);

/// Refuses prefixes within a virtual one. Of the addresses of a name those are left out, as long as there are others.
std::vector<RunTimeRecord> spared(const Site& site, std::vector<RunTimeRecord> records);

/// The list with the records; what was there for one of their prefixes is replaced.
std::vector<RunTimeRecord> with_added(std::vector<RunTimeRecord> list, const std::vector<RunTimeRecord>& records);

/// The list without what was added by these words: of a prefix itself, of a name all of its addresses. All of them must
/// be there; otherwise the message says what else has them.
std::vector<RunTimeRecord> without_deleted(const Site& site, std::vector<RunTimeRecord> list,
                                           const std::vector<WhiteWord>& words);

} // namespace natctl
