// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/diagnostic.h"

#include <string>

#include <doctest/doctest.h>

#include "nftctl/site/parse.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/spelling.h"

using namespace natctl;

TEST_CASE("a diagnostic shows the line, the value, the cause and the remedy") {
    const std::string text = "site = \"a\"\nlan  = \"lan0\"\n\n[[map]]\nvirtual = \"240.1.1.0/33\" # ours\n"
                             "\treal = \"10.0.0.0/24\"\n";
    CHECK(render(parse_site(text).diagnostics, "etc/site.toml", text) ==
          "etc/site.toml:5:11: error: \"240.1.1.0/33\" is no address or prefix\n"
          "    5 | virtual = \"240.1.1.0/33\" # ours\n"
          "      |           ^~~~~~~~~~~~~~\n"
          "  = help: the length after the slash is a number from 0 to 32, with IPv6 to 128; netmasks are not "
          "understood\n");
}

TEST_CASE("the caret stands under the value, whatever the value is") {
    const auto underline = [](std::string_view line, unsigned column) {
        const auto shown = render({{Severity::note, {1, column}, "m", {}}}, "f", line);
        const auto last = shown.substr(shown.rfind(" | ") + 3);
        return last.substr(0, last.find('\n'));
    };
    CHECK(underline("lan = 'a' # c", 7) == "      ^~~");
    CHECK(underline(R"(lan = "a\"b" # c)", 7) == "      ^~~~~~");
    CHECK(underline("lan = \"a\\", 7) == "      ^~~");
    CHECK(underline("port = 80,", 8) == "       ^~");
    CHECK(underline("\xef\xbb\xbflan = 1", 1) == "^~~");
    CHECK(underline("[[map]]", 1) == "^~~~~~~");
    CHECK(underline("[tunnel] # c", 1) == "^~~~~~~~");
    CHECK(underline("link = { a = 1 }, x", 8) == "       ^~~~~~~~~");
    CHECK(underline("ke\xc3\xb6y = 1", 3) == "  ^~");
    CHECK(underline("\tx = 1", 2) == " ^");
    CHECK(underline("a = 1", 9) == "     ^");
    CHECK(underline("", 1) == "^");
    CHECK(underline("a = 'b\r\n", 5) == "    ^~");
    // An escape sequence takes the room that it is shown with.
    CHECK(underline("a = \"\x1b[2J\", 1", 5) == "    ^~~~~~~~~~~");
}

TEST_CASE("nothing of the file reaches the terminal as a control character") {
    const std::string text = "a = \"\x1b[2J\x07\"\x7f\nb = '\xc2\x9b"
                             "\xe2\x80\xae\xff'\r\nsite = 1\n";
    for (unsigned line = 1; line <= 4; ++line) {
        const auto shown = render({{Severity::error, {line, 5}, "m", "r"}}, "f\x1b[1m", text);
        for (const char c : shown) CHECK((c == '\n' || (c >= ' ' && c < 0x7f)));
    }
    CHECK(escape("a\x1b\tb\n\r\x7f") == "a\\u001b\\tb\\n\\r\\u007f");
    CHECK(escape("\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xef\xbb\xbf") == "\\u0085\\u2028\\u202e\\ufeff");
    CHECK(escape("gr\xc3\xbc\xc3\x9f"
                 "e \xe4\xb8\xad \xf0\x9f\x98\x80") == "gr\xc3\xbc\xc3\x9f"
                                                       "e \xe4\xb8\xad \xf0\x9f\x98\x80");
    // Not UTF-8: stray, cut, overlong, surrogate, beyond Unicode.
    CHECK(escape("\x80 \xc3 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80") ==
          "\\x80 \\xc3 \\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
    CHECK(escape("\xe4\xb8") == "\\xe4\\xb8");
    CHECK(quote("") == "\"\"");
    CHECK(quote(std::string(64, 'x')) == "\"" + std::string(64, 'x') + "\"");
    CHECK(quote(std::string(65, 'x')) == "\"" + std::string(64, 'x') + "...\"");
}

TEST_CASE("long lines are cut around the value") {
    std::string text = "white_list = [";
    for (int i = 0; i < 5000; ++i) text += "\"10.0.0.1\", ";
    const auto column = static_cast<unsigned>(text.size() + 1);
    text += "\"here\", ";
    for (int i = 0; i < 5000; ++i) text += "\"10.0.0.1\", ";
    const auto shown = render({{Severity::error, {1, column}, "m", "r"}}, "f", text + "]");
    CHECK(shown.size() < 600);
    const auto line = shown.substr(shown.find(" | ") + 3);
    const auto caret = line.substr(line.find(" | ") + 3).find('^');
    CHECK(line.substr(caret, 6) == "\"here\"");
    CHECK(line.starts_with("..."));
    // A line that fits is shown whole.
    const std::string fits(100, 'x');
    CHECK(render({{Severity::error, {1, 90}, "m", "r"}}, "f", fits).find("| " + fits + "\n") != std::string::npos);
}

TEST_CASE("when there are very many, errors are shown first and the rest is counted") {
    std::vector<Diagnostic> many;
    for (unsigned i = 1; i <= render_limit; ++i) many.push_back({Severity::note, {i, 1}, "note", {}});
    many.push_back({Severity::error, {render_limit + 1, 1}, "the error", "remedy"});
    const auto shown = render(many, "f", "");
    CHECK(shown.starts_with("f:101:1: error: the error\n"));
    CHECK(shown.ends_with("f: 1 more findings are not shown\n"));
}

TEST_CASE("programs get numbers and text") {
    const std::string text = "sit = 'a'\nlan = 'lan0'\n";
    const auto flat = flatten(parse_site(text).diagnostics, "site.toml", text);
    REQUIRE(flat.size() == 1);
    CHECK(flat[0].file == "site.toml");
    CHECK(flat[0].line == 1);
    CHECK(flat[0].column == 1);
    CHECK(flat[0].end_column == 4);
    CHECK(flat[0].severity == "error");
    CHECK(flat[0].message == "unknown key \"sit\" in site.toml");
    CHECK(flat[0].remedy.starts_with("the nearest known key is \"site\""));
}

TEST_CASE("spelling") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "map") == 3);
    CHECK(edit_distance("vritual", "virtual") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    constexpr std::string_view words[] = {"virtual", "real", "name"};
    CHECK(nearest("reel", words) == "real");
    CHECK(nearest("vitrual", words) == "virtual");
}
