// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

// Of a longer line no more than this is shown before the value (a third) and from there on (the whole).
constexpr std::size_t shown_code_points = 160;

/// A line, in what stands before a column and what from there on.
struct Split {
    std::string_view before;
    std::string_view after;
};

/// Finds positions in the text. Going forward is cheap, also within one line of megabytes.
class Locator {
public:
    explicit Locator(std::string_view source) : source_(source) {
        if (source_.starts_with("\xef\xbb\xbf")) source_.remove_prefix(3);
        starts_.push_back(0);
        for (std::size_t i = 0; i < source_.size(); ++i)
            if (source_[i] == '\n') starts_.push_back(i + 1);
    }

    Split find(const Position& at) {
        const auto whole = line(at.line);
        if (at.line != last_.line || at.column < last_.column) {
            last_ = {at.line, 1};
            offset_ = 0;
        }
        for (; last_.column < at.column && offset_ < whole.size(); ++last_.column)
            offset_ += first_code_point(whole.substr(offset_)).length;
        return {whole.substr(0, offset_), whole.substr(offset_)};
    }

private:
    /// Line `number` (from 1) without its line break; empty when there is none.
    std::string_view line(unsigned number) const {
        if (number == 0 || number > starts_.size()) return {};
        const std::size_t start = starts_[number - 1];
        auto line = source_.substr(start, source_.find('\n', start) - start);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        return line;
    }

    std::string_view source_;
    std::vector<std::size_t> starts_;
    Position last_;
    std::size_t offset_ = 0;
};

/// Length in bytes of the TOML value, key or table header at the start of `text`: 0 at the end of the line.
std::size_t value_length(std::string_view text) {
    if (text.empty()) return 0;
    const auto up_to = [&](std::string_view end, std::size_t from) {
        const auto found = text.find(end, from);
        return found == std::string_view::npos ? text.size() : found + end.size();
    };
    switch (text[0]) {
    case '\'': return up_to("'", 1);
    case '"': {
        std::size_t i = 1;
        while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2u : 1u;
        return std::min(i + 1, text.size());
    }
    case '[': return text.starts_with("[[") ? up_to("]]", 2) : up_to("]", 1);
    case '{': return up_to("}", 1);
    default: break;
    }
    const auto end = std::min(text.find_first_of(" \t,]}=#\"'"), text.size());
    return std::max<std::size_t>(end, first_code_point(text).length);
}

std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(first_code_point(text).length);
    return count;
}

/// As escape(), but a tab is one space: the line is shown as it looks.
std::string show(std::string_view text) {
    std::string copy(text);
    std::ranges::replace(copy, '\t', ' ');
    return escape(copy);
}

std::string_view first_code_points(std::string_view text, std::size_t count) {
    std::size_t offset = 0;
    for (; count > 0 && offset < text.size(); --count) offset += first_code_point(text.substr(offset)).length;
    return text.substr(0, offset);
}

void append_source(std::string& out, Split line, const Position& at) {
    auto [before, after] = line;
    const auto value = after.substr(0, value_length(after));

    std::string shown_before;
    const auto length_before = count_code_points(before);
    if (length_before > shown_code_points / 3 && length_before + count_code_points(after) > shown_code_points) {
        before.remove_prefix(first_code_points(before, length_before - shown_code_points / 3).size());
        shown_before = "...";
    }
    shown_before += show(before);
    const auto cut = first_code_points(after, shown_code_points);
    const std::string shown_value = show(value.substr(0, std::min(value.size(), cut.size())));

    const std::string number = std::to_string(at.line);
    out += fmt::format("{:>5} | {}{}{}\n", number, shown_before, show(cut), cut.size() < after.size() ? "..." : "");
    out += fmt::format("{:>{}} | {}^", "", std::max<std::size_t>(number.size(), 5),
                       std::string(count_code_points(shown_before), ' '));
    const auto width = count_code_points(shown_value);
    if (width > 1) out.append(width - 1, '~');
    out += '\n';
}

void append(std::string& out, const Diagnostic& diagnostic, const std::string& file, Locator& locator) {
    if (diagnostic.at.line == 0) {
        out += fmt::format("{}: {}: {}\n", escape(file), text(diagnostic.severity), diagnostic.message);
    } else {
        out += fmt::format("{}:{}:{}: {}: {}\n", escape(file), diagnostic.at.line, diagnostic.at.column,
                           text(diagnostic.severity), diagnostic.message);
        append_source(out, locator.find(diagnostic.at), diagnostic.at);
    }
    if (!diagnostic.remedy.empty()) out += fmt::format("  = help: {}\n", diagnostic.remedy);
}

} // namespace

std::vector<FlatDiagnostic> flatten(const std::vector<Diagnostic>& diagnostics, const std::string& file,
                                    std::string_view source) {
    Locator locator(source);
    std::vector<FlatDiagnostic> flat;
    flat.reserve(diagnostics.size());
    for (const auto& diagnostic : diagnostics) {
        const auto after = locator.find(diagnostic.at).after;
        const auto width = count_code_points(after.substr(0, value_length(after)));
        flat.push_back({file, diagnostic.at.line, diagnostic.at.column,
                        diagnostic.at.column + static_cast<unsigned>(width), std::string(text(diagnostic.severity)),
                        diagnostic.message, diagnostic.remedy});
    }
    return flat;
}

std::string render(const std::vector<Diagnostic>& diagnostics, const std::string& file, std::string_view source) {
    Locator locator(source);
    std::string out;
    if (diagnostics.size() <= render_limit) {
        for (const auto& diagnostic : diagnostics) append(out, diagnostic, file, locator);
        return out;
    }
    std::size_t shown = 0;
    for (const auto severity : {Severity::error, Severity::warning, Severity::note})
        for (const auto& diagnostic : diagnostics)
            if (diagnostic.severity == severity && shown < render_limit) {
                append(out, diagnostic, file, locator);
                ++shown;
            }
    return out + fmt::format("{}: {} more findings are not shown\n", escape(file), diagnostics.size() - shown);
}

} // namespace natctl
