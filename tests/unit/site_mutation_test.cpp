// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nftctl/site/parse.h"

using namespace natctl;

namespace {

std::vector<std::string> good_files() {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(NATCTL_EXAMPLES)) {
        std::ifstream file(entry.path(), std::ios::binary);
        files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    std::ranges::sort(files);
    return files;
}

class Mutator {
public:
    explicit Mutator(unsigned seed) : random_(seed) {}

    std::string operator()(std::string text) {
        for (auto count = below(4) + 1; count > 0; --count) mutate(text);
        return text;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    void mutate(std::string& text) {
        static constexpr std::array<std::string_view, 24> tokens{"\"",
                                                                 "'",
                                                                 "[",
                                                                 "]",
                                                                 "{",
                                                                 "}",
                                                                 "=",
                                                                 ",",
                                                                 ".",
                                                                 "#",
                                                                 "\n",
                                                                 "\\",
                                                                 "\"\"\"",
                                                                 "''",
                                                                 "0",
                                                                 "-1",
                                                                 "99999999999999999999",
                                                                 "1.5",
                                                                 "true",
                                                                 "1979-05-27",
                                                                 "::",
                                                                 "/0",
                                                                 "\xff",
                                                                 std::string_view("\0", 1)};
        const auto at = below(text.size() + 1);
        const auto length = std::min(below(12), text.size() - at);
        switch (below(6)) {
        case 0: text.insert(at, 1, static_cast<char>(random_())); break;
        case 1: text.erase(at, length); break;
        case 2: text.insert(at, tokens[below(tokens.size())]); break;
        case 3: text.replace(at, length, tokens[below(tokens.size())]); break;
        case 4: text.insert(below(text.size() + 1), text.substr(at, below(80))); break;
        case 5: text.resize(at); break;
        }
    }

    std::mt19937 random_;
};

} // namespace

TEST_CASE("10,000 damaged files: never a crash, never a failure without a place and a cause") {
    const auto files = good_files();
    REQUIRE(files.size() >= 4);
    Mutator mutate(20240501);
    int failures = 0;
    for (std::size_t i = 0; i < 10000; ++i) {
        const auto text = mutate(files[i % files.size()]);
        const auto result = parse_site(text);
        const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::error; };
        const auto errors = std::ranges::count_if(result.diagnostics, is_error);
        bool sound = result.site.has_value() == (errors == 0);
        for (const auto& d : result.diagnostics)
            sound = sound && d.at.line >= 1 && d.at.column >= 1 && !d.message.empty() &&
                    (d.severity == Severity::note || !d.remedy.empty());
        sound = sound && std::ranges::is_sorted(result.diagnostics, {}, &Diagnostic::at);
        const auto shown = render(result.diagnostics, "f", text);
        sound =
            sound && std::ranges::none_of(shown, [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == 0x7f; });
        if (!sound) {
            INFO(text);
            CHECK(shown == "");
        }
        if (errors != 0) ++failures;
    }
    // The damage is not so small that nothing is tested, nor so large that everything stops at the syntax.
    CHECK(failures > 5000);
    CHECK(failures < 9900);
}
