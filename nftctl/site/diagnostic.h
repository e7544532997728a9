// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nftctl/site/site.h"

namespace natctl {

enum class Severity : std::uint8_t { error, warning, note };

/// "error", "warning" or "note".
std::string_view text(Severity severity);

/// One finding about the configuration. User text in it is already escaped: both texts are safe to print.
struct Diagnostic {
    Severity severity;
    Position at;
    /// What is wrong and why.
    std::string message;
    /// What to do about it. Never empty for errors and warnings.
    std::string remedy;
};

/// Collects the findings of one run.
class Diagnostics {
public:
    void error(Position at, std::string message, std::string remedy);
    void warning(Position at, std::string message, std::string remedy);
    void note(Position at, std::string message, std::string remedy = {});

    /// Number of errors so far.
    std::size_t errors() const { return errors_; }
    /// Everything, by position; what was reported first comes first at one position.
    std::vector<Diagnostic> take();

private:
    std::vector<Diagnostic> list_;
    std::size_t errors_ = 0;
};

/// A diagnostic with nothing but text and numbers, as a program wants to read it.
struct FlatDiagnostic {
    std::string file;
    /// From 1; 0 when the finding concerns the file as a whole. Columns count code points.
    unsigned line = 0;
    unsigned column = 0;
    /// One past the last column of the value.
    unsigned end_column = 0;
    std::string severity;
    std::string message;
    std::string remedy;
};

std::vector<FlatDiagnostic> flatten(const std::vector<Diagnostic>& diagnostics, const std::string& file,
                                    std::string_view source);

/// For people, without colour:
///
///     site.toml:4:11: error: CAUSE
///        4 | virtual = "240.1.1.0/33"
///          |           ^~~~~~~~~~~~~~
///       = help: REMEDY
///
/// Long lines are cut around the value. `source` is the text that was parsed. At most `render_limit` diagnostics are
/// shown, errors before anything else when there are more.
std::string render(const std::vector<Diagnostic>& diagnostics, const std::string& file, std::string_view source);

inline constexpr std::size_t render_limit = 100;

} // namespace natctl
