// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace natctl {

/// Writes metrics in the text format 0.0.4 of Prometheus
/// (https://prometheus.io/docs/instrumenting/exposition_formats/): a family, then its samples.
class Exposition {
public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    /// `type`: "gauge", "counter" or "histogram". Names and help come from us; values of labels may be anything.
    void family(std::string_view name, std::string_view type, std::string_view help);
    /// Of the last family; `suffix` as in "_bucket".
    void sample(Labels labels, double value, std::string_view suffix = {});
    void sample(Labels labels, std::uint64_t value, std::string_view suffix = {});
    void sample(Labels labels, bool value) { sample(labels, std::uint64_t{value}); }

    /// A family with one sample.
    template <class Value>
    void single(std::string_view name, std::string_view type, std::string_view help, Value value) {
        family(name, type, help);
        sample({}, value);
    }

    const std::string& text() const { return text_; }

private:
    void write(Labels labels, const std::string& value, std::string_view suffix);

    std::string text_;
    std::string name_;
};

} // namespace natctl
