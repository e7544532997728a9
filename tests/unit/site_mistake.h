// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nftctl/site/parse.h"

namespace natctl {

/// A file with one mistake, and what is said about it.
struct Mistake {
    /// The first '@' stands before the place that the diagnostic names and is no part of the file.
    std::string text;
    /// Parts of both.
    std::string message;
    std::string remedy;
};

/// What every file needs.
inline const std::string site_head = "site = \"a\"\nlan = \"lan0\"\n";
inline const std::string one_map = "[[map]]\nvirtual = \"198.18.1.0/24\"\nreal = \"192.168.1.0/24\"\n";
inline const std::string good_site = site_head + one_map;

inline std::string map_of(const std::string& from, const std::string& to) {
    return "[[map]]\nvirtual = " + from + "\nreal = " + to + "\n";
}
inline std::string peer_of(const std::string& name, const std::string& prefixes, const std::string& links) {
    return "[[peer]]\nname = " + name + "\nvirtual = " + prefixes + "\nlink = " + links + "\n";
}

struct Marked {
    std::string text;
    Position at;
};

/// Takes out the first '@' and says where it was.
inline Marked take_mark(std::string text) {
    const auto mark = text.find('@');
    REQUIRE(mark != std::string::npos);
    text.erase(mark, 1);
    Position at{1, 1};
    for (std::size_t i = 0; i < mark; ++i)
        at = text[i] == '\n' ? Position{at.line + 1, 1} : Position{at.line, at.column + 1};
    return {std::move(text), at};
}

/// Runs one case. `head` stands before the text; exactly one diagnostic of the severity is wanted, and no error beside.
inline void check_mistake(const std::string& head, const Mistake& mistake, Severity severity = Severity::error) {
    const Marked marked = take_mark(head + mistake.text);
    const std::string& text = marked.text;
    INFO(text);
    const auto result = parse_site(text);
    CHECK(result.site.has_value() == (severity != Severity::error));
    CAPTURE(render(result.diagnostics, "site.toml", text));
    std::vector<Diagnostic> found;
    for (const auto& diagnostic : result.diagnostics)
        if (diagnostic.severity == severity || diagnostic.severity == Severity::error) found.push_back(diagnostic);
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == severity);
    CHECK(found[0].at.line == marked.at.line);
    CHECK(found[0].at.column == marked.at.column);
    CHECK(found[0].message.find(mistake.message) != std::string::npos);
    CHECK(found[0].remedy.find(mistake.remedy) != std::string::npos);
}

} // namespace natctl
