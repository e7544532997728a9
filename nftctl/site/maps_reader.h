// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Reads a maps file: one map a line, `VIRTUAL REAL [NAME]`, and comments from '#' on. It comes in pieces of any size;
/// no more than one line is kept beside the result.
class MapsReader {
public:
    /// Bytes of a line.
    static constexpr std::size_t longest_line = 1024;
    /// After so many the file is taken for something else.
    static constexpr std::size_t most_errors = 100;

    /// Appends sound maps to `maps`; `file` is their Map::file.
    MapsReader(std::vector<Map>& maps, std::uint32_t file, Diagnostics& diagnostics)
        : maps_(maps),
          file_(file),
          diagnostics_(diagnostics) {}

    void feed(std::string_view piece);
    /// The last line need not have an end.
    void finish();
    /// Nothing more will be read.
    bool gave_up() const { return gave_up_; }

private:
    void read_line(std::string_view line);
    void read_words(std::string_view line);
    void give_up(Position at, std::string message, std::string remedy);

    std::vector<Map>& maps_;
    std::uint32_t file_;
    Diagnostics& diagnostics_;
    /// The beginning of a line whose end has not come.
    std::string rest_;
    unsigned line_ = 0;
    bool gave_up_ = false;
};

} // namespace natctl
