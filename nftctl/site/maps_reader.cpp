// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/maps_reader.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "nftctl/site/quote.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr const char* form = "a line is VIRTUAL REAL [NAME]: 240.1.1.20 192.168.1.20 printer";

enum Word : std::size_t { virtual_word, real_word, name_word, extra_word };

struct Words {
    std::array<std::string_view, 4> words;
    std::size_t count = 0;
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Up to the fourth word, without the comment.
Words split(std::string_view line) {
    Words result;
    for (std::size_t i = 0; result.count < result.words.size();) {
        while (i < line.size() && is_blank(line[i])) ++i;
        if (i == line.size() || line[i] == '#') break;
        const auto start = i;
        while (i < line.size() && !is_blank(line[i])) ++i;
        result.words[result.count++] = line.substr(start, i - start);
    }
    return result;
}

unsigned count_code_points(std::string_view text) {
    unsigned count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(first_code_point(text).length);
    return count;
}

} // namespace

void MapsReader::feed(std::string_view piece) {
    while (!gave_up_) {
        const auto end = piece.find('\n');
        const auto head = piece.substr(0, end);
        if (rest_.size() + head.size() > longest_line)
            return give_up({line_ + 1, 1},
                           fmt::format("a line of more than {} bytes: this is no maps file", longest_line), form);
        if (end == std::string_view::npos) {
            rest_ += head;
            return;
        }
        if (rest_.empty()) {
            read_line(head);
        } else {
            rest_ += head;
            read_line(rest_);
            rest_.clear();
        }
        piece.remove_prefix(end + 1);
    }
}

void MapsReader::finish() {
    if (!gave_up_ && !rest_.empty()) read_line(rest_);
    rest_.clear();
}

void MapsReader::give_up(Position at, std::string message, std::string remedy) {
    diagnostics_.error(at, std::move(message), std::move(remedy));
    gave_up_ = true;
}

void MapsReader::read_line(std::string_view line) {
    ++line_;
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (line_ == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    if (line.ends_with('\r')) line.remove_suffix(1);
    read_words(line);
    if (diagnostics_.errors() >= most_errors && !gave_up_)
        give_up({line_, 1}, fmt::format("{} mistakes up to here: the rest was not read", most_errors), form);
}

void MapsReader::read_words(std::string_view line) {
    const Words found = split(line);
    const auto& words = found.words;
    const auto count = found.count;
    if (count == 0) return;
    const auto offset = [&](Word word) { return static_cast<std::size_t>(words[word].data() - line.data()); };
    const auto at = [&](Word word) { return Position{line_, 1 + count_code_points(line.substr(0, offset(word)))}; };
    // Blanks and an address: as many code points as bytes.
    const Position virtual_at{line_, 1 + static_cast<unsigned>(offset(virtual_word))};
    const auto virtual_prefix = read_prefix(words[virtual_word], virtual_at, diagnostics_);
    if (!virtual_prefix) return;
    if (count == virtual_word + 1)
        return diagnostics_.error(virtual_at, fmt::format("{} without a real address", quote(words[virtual_word])),
                                  form);
    const Position real_at{line_, 1 + static_cast<unsigned>(offset(real_word))};
    const auto real_prefix = read_prefix(words[real_word], real_at, diagnostics_);
    if (!real_prefix) return;
    if (virtual_prefix->family() != real_prefix->family())
        return diagnostics_.error(real_at,
                                  fmt::format("virtual {} and real {} are of two families", quote(words[virtual_word]),
                                              quote(words[real_word])),
                                  "write two addresses of IPv4, or two of IPv6; from IPv6 to IPv4 leads a [[map]] with "
                                  "a /96 in site.toml");
    if (virtual_prefix->length() != real_prefix->length())
        return diagnostics_.error(
            real_at,
            fmt::format("real {} and virtual {} differ in length", real_prefix->text(), virtual_prefix->text()),
            fmt::format("each virtual address stands for one real address: give both the length {} or {}",
                        virtual_prefix->length(), real_prefix->length()));
    Map map{*virtual_prefix, *real_prefix, {}, virtual_at, virtual_at, real_at, file_};
    if (count > name_word) {
        if (!read_host_name(words[name_word], at(name_word), diagnostics_)) return;
        if (!map.is_host())
            return diagnostics_.error(
                at(name_word), fmt::format("a name for all of {}", virtual_prefix->text()),
                "only single hosts have names: give the host a line of its own, or remove the name");
        map.name = words[name_word];
    }
    if (count > extra_word)
        return diagnostics_.error(at(extra_word), fmt::format("{} after the name", quote(words[extra_word])),
                                  "a name is one word here; comments begin with #");
    maps_.push_back(std::move(map));
}

} // namespace natctl
