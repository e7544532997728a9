// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/exposition.h"

#include <fmt/format.h>

namespace natctl {

namespace {

void append_escaped(std::string& text, std::string_view value) {
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') text += '\\';
        text += c;
    }
}

} // namespace

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void Exposition::sample(Labels labels, double value, std::string_view suffix) {
    write(labels, fmt::format("{}", value), suffix);
}

void Exposition::sample(Labels labels, std::uint64_t value, std::string_view suffix) {
    write(labels, std::to_string(value), suffix);
}

void Exposition::write(Labels labels, const std::string& value, std::string_view suffix) {
    text_ += name_;
    text_ += suffix;
    const char* before = "{";
    for (const auto& [name, content] : labels) {
        text_ += before;
        text_ += name;
        text_ += "=\"";
        append_escaped(text_, content);
        text_ += '"';
        before = ",";
    }
    if (labels.size() != 0) text_ += '}';
    text_ += ' ';
    text_ += value;
    text_ += '\n';
}

} // namespace natctl
