// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "nftctl/site/load.h"
#include "nftctl/site/maps_reader.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

struct Read {
    std::vector<Map> maps;
    std::vector<Diagnostic> found;
    bool gave_up = false;
};

/// In pieces of `size` bytes.
Read read_maps(std::string_view text, std::size_t size = 4096) {
    Read result;
    Diagnostics diagnostics;
    MapsReader reader(result.maps, 1, diagnostics);
    for (std::size_t i = 0; i < text.size(); i += size) reader.feed(text.substr(i, size));
    reader.finish();
    result.gave_up = reader.gave_up();
    result.found = diagnostics.take();
    return result;
}

/// A folder with a site.toml and maps files, removed at the end.
class Folder {
public:
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

private:
    test::TemporaryDirectory directory_;
};

/// One mistake in hosts.map (without a head) beside `toml`; the '@' as in Mistake.
void check_maps_mistake(const std::string& toml, const Mistake& mistake) {
    const Folder folder;
    const auto marked = take_mark(mistake.text);
    INFO(marked.text);
    const auto maps = folder.write("hosts.map", marked.text);
    const auto site = folder.write("site.toml", "maps = 'hosts.map'\n" + toml);
    const auto result = load_site(site);
    CAPTURE(render(result, site));
    CHECK(!result.site);
    CHECK(result.diagnostics.empty());
    REQUIRE(result.maps_files.size() == 1);
    CHECK(result.maps_files[0].path == maps);
    REQUIRE(result.maps_files[0].diagnostics.size() == 1);
    const auto& found = result.maps_files[0].diagnostics[0];
    CHECK(found.severity == Severity::error);
    CHECK(found.at == marked.at);
    CHECK(found.message.find(mistake.message) != std::string::npos);
    CHECK(found.remedy.find(mistake.remedy) != std::string::npos);
    CHECK(render(result, site)
              .starts_with(maps + ":" + std::to_string(found.at.line) + ":" + std::to_string(found.at.column) +
                           ": error: "));
}

} // namespace

TEST_CASE("a maps file has a map a line, whatever the pieces it comes in") {
    const std::string text = "\xef\xbb\xbf# hosts of the site\n"
                             "240.1.1.20 192.168.1.20 printer # second floor\r\n"
                             "\t240.1.1.21\t192.168.1.21\n"
                             "\n"
                             "  # nothing\n"
                             "fd00:1::5   fd00:2::5  camera#1\n"
                             "240.1.2.0/24 10.10.10.0/24";
    for (const std::size_t size : {1u, 2u, 7u, 50u, 4096u}) {
        const auto [maps, found, gave_up] = read_maps(text, size);
        CHECK(found.empty());
        CHECK(!gave_up);
        REQUIRE(maps.size() == 4);
        CHECK(maps[0].virtual_prefix.text() == "240.1.1.20/32");
        CHECK(maps[0].real_prefix.text() == "192.168.1.20/32");
        CHECK(maps[0].name == "printer");
        CHECK(maps[0].at == Position{2, 1});
        CHECK(maps[0].real_at == Position{2, 12});
        CHECK(maps[0].file == 1);
        CHECK(maps[1].name.empty());
        CHECK(maps[1].virtual_at == Position{3, 2});
        CHECK(maps[2].virtual_prefix.text() == "fd00:1::5/128");
        CHECK(maps[2].name == "camera#1");
        CHECK(maps[3].virtual_prefix.length() == 24);
        CHECK(maps[3].at == Position{7, 1});
    }
    CHECK(read_maps("").maps.empty());
}

TEST_CASE("mistakes in a line") {
    const Mistake mistakes[] = {
        {"@240.1.1.20\n", "\"240.1.1.20\" without a real address", "VIRTUAL REAL [NAME]"},
        {"# a\n\n @240.1.1.20 # b\n", "without a real address", "VIRTUAL REAL [NAME]"},
        {"@printer 240.1.1.20\n", "\"printer\" is no address or prefix", "names are not looked up"},
        {"240.1.1.20 @192.168.1.256\n", "no address or prefix", "192.168.1.20"},
        {"240.1.1.20 @fd00::1\n", "are of two families", "a [[map]] with a /96"},
        {"240.1.1.0/24 @10.0.0.0/25\n", "real 10.0.0.0/25 and virtual 240.1.1.0/24 differ in length", "24 or 25"},
        {"240.1.1.20 @10.0.0.0/24\n", "differ in length", "32 or 24"},
        {"240.1.1.0/24 10.0.0.0/24 @all\n", "a name for all of 240.1.1.0/24", "only single hosts"},
        {"240.1.1.20 10.0.0.1 @a\x01\n", "cannot be the name of a host", "printable"},
        {"240.1.1.20 10.0.0.1 x @second\n", "\"second\" after the name", "one word"},
        {"@" + std::string(1025, 'a') + "\n", "a line of more than 1024 bytes", "VIRTUAL REAL"},
        {"240.1.1.1 10.0.0.1\n@" + std::string(100000, ' ') + "\n", "a line of more than 1024 bytes", "VIRTUAL REAL"},
    };
    for (const auto& mistake : mistakes) {
        for (const std::size_t size : {1u, 64u, 1u << 20}) {
            const auto marked = take_mark(mistake.text);
            INFO(marked.text);
            const auto result = read_maps(marked.text, size);
            REQUIRE(result.found.size() == 1);
            CHECK(result.found[0].at == marked.at);
            CHECK(result.found[0].message.find(mistake.message) != std::string::npos);
            CHECK(result.found[0].remedy.find(mistake.remedy) != std::string::npos);
        }
    }
}

TEST_CASE("columns count code points") {
    const auto result = read_maps("240.1.1.20 10.0.0.1 \xc3\xbcx second\n");
    REQUIRE(result.found.size() == 1);
    CHECK(result.found[0].at == Position{1, 24});
}

TEST_CASE("a file that is something else is not read to its end") {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "nothing\n";
    const auto result = read_maps(text, 100);
    CHECK(result.gave_up);
    REQUIRE(result.found.size() == MapsReader::most_errors + 1);
    CHECK(result.found.back().at.line == 100);
    CHECK(result.found.back().message.find("the rest was not read") != std::string::npos);
}

TEST_CASE("maps of files stand beside those of site.toml") {
    const Folder folder;
    folder.write("hosts.map", "198.18.1.20 10.10.10.7 printer\n198.18.3.1 192.168.1.9\n");
    folder.write("more.map", "fd00:1::/64 fd00:2::/64\n");
    auto site = folder.write("site.toml", "maps = ['hosts.map', 'more.map']\n" + good_site);
    auto result = load_site(site);
    CAPTURE(render(result, site));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    CHECK(result.maps_files.empty());
    REQUIRE(result.site->maps.size() == 4);
    CHECK(result.site->maps[0].file == 0);
    CHECK(result.site->maps[1].name == "printer");
    CHECK(result.site->maps[1].file == 1);
    CHECK(result.site->maps[3].file == 2);
    CHECK(result.site->maps_files.at(1).path == folder.path("more.map"));
    // Alone.
    site = folder.write("site.toml", "maps = '" + folder.path("more.map") + "'\n" + site_head);
    result = load_site(site);
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    CHECK(result.site->maps.size() == 1);
}

TEST_CASE("maps of files in the way of others") {
    const std::string wg = "{ dev = 'wg0' }";
    const Mistake mistakes[] = {
        {"198.18.3.1 10.0.0.1\n# a\n@198.18.3.1 10.0.0.2\n", "virtual 198.18.3.1 is mapped twice (line 1)",
         "remove one"},
        {"198.18.3.1 10.0.0.1\n198.18.3.2 @10.0.0.1\n", "real 10.0.0.1 has two virtual addresses, 198.18.3.1/32 and",
         "only one of them"},
        {"@198.18.1.0/24 10.0.0.0/24\n", "virtual 198.18.1.0/24 is mapped twice (line 5 of site.toml)", "remove one"},
        {"198.18.4.0/24 @192.168.1.0/24\n", "real 192.168.1.0/24 has two virtual addresses", "only one"},
        {"198.18.4.0/25 @192.168.1.0/25\n",
         "real 192.168.1.0/25 lies in real 192.168.1.0/24, which is mapped too "
         "(line 6 of site.toml)",
         "single hosts"},
        {"@192.168.1.7 10.0.0.1\n", "virtual 192.168.1.7 overlaps our own real 192.168.1.0/24 (line 6 of site.toml)",
         "none that a LAN here uses"},
        {"@127.0.0.1 10.0.0.1\n", "loopback addresses (127.0.0.0/8) cannot be virtual", "198.18.0.0/15"},
        {"198.18.4.1 @224.0.0.1\n", "multicast addresses", "LAN"},
        {"198.18.4.1 10.0.0.1 one\n@198.18.4.2 10.0.0.2 one\n", "a second host \"one\" (line 1)", "of its own"},
    };
    for (const auto& mistake : mistakes) check_maps_mistake(good_site, mistake);

    // What stands in site.toml is named there.
    const Folder folder;
    folder.write("hosts.map", "198.18.2.7 10.0.0.7\n");
    const auto site =
        folder.write("site.toml", "maps = 'hosts.map'\n" + good_site + peer_of("'b'", "'198.18.2.0/24'", wg));
    const auto result = load_site(site);
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].at == Position{9, 11});
    CHECK(result.diagnostics[0].message ==
          "198.18.2.0/24 of peer b overlaps our own virtual 198.18.2.7 (line 1 of hosts.map)");
}

TEST_CASE("a range that Windows hosts refuse is warned of once") {
    const Folder folder;
    folder.write("hosts.map", "240.1.1.1 10.0.0.1\n240.1.1.2 10.0.0.2\n");
    auto site = folder.write("site.toml", "maps = 'hosts.map'\n" + good_site);
    auto result = load_site(site);
    CHECK(result.site);
    CHECK(result.diagnostics.empty());
    REQUIRE(result.maps_files.size() == 1);
    REQUIRE(result.maps_files[0].diagnostics.size() == 1);
    CHECK(result.maps_files[0].diagnostics[0].at == Position{1, 1});
    result.keep(Severity::error);
    CHECK(result.maps_files.empty());
    CHECK(render(result, site).empty());

    site = folder.write("site.toml", "maps = 'hosts.map'\n" + site_head + map_of("'240.1.0.0/16'", "'10.1.0.0/16'"));
    result = load_site(site);
    CHECK(result.diagnostics.size() == 1);
    CHECK(result.maps_files.empty());
}

TEST_CASE("files that cannot be read are named where site.toml names them") {
    const Folder folder;
    const auto check_one = [&](const std::string& name, const std::string& message, const std::string& remedy) {
        const auto site = folder.write("site.toml", "maps = '" + name + "'\n" + good_site);
        const auto result = load_site(site);
        CHECK(!result.site);
        REQUIRE(result.diagnostics.size() == 1);
        CHECK(result.diagnostics[0].at == Position{1, 8});
        CHECK(result.diagnostics[0].message.find(message) != std::string::npos);
        CHECK(result.diagnostics[0].remedy.find(remedy) != std::string::npos);
    };
    check_one("absent.map", "absent.map: No such file or directory", "the folder of this file");
    check_one(".", "is no regular file", "name a file of maps");
    check_one("/dev/zero", "/dev/zero is no regular file", "name a file of maps");
    const auto large = folder.write("large.map", "");
    REQUIRE(::truncate(large.c_str(), (64 << 20) + 1) == 0);
    check_one("large.map", "has more than 64 MiB", "prefixes");
    check_mistake("", {"maps = @1\n" + good_site, "\"maps\" is an integer, not a file or a list", "hosts.map"});
    check_mistake("", {"maps = @''\n" + good_site, "\"\" cannot be a file", "path"});
    check_mistake("", {"maps = @[]\n" + good_site, "\"maps\" is an empty list", "hosts.map"});
}

TEST_CASE("10,000 damaged maps files: never a crash, always a place and a cause") {
    const std::string good = "# hosts\n240.1.1.20 192.168.1.20 printer\nfd00:1::5\tfd00:2::5 camera # comment\n"
                             "240.1.2.0/24 10.10.10.0/24\n240.1.3.7 10.10.11.7\r\n";
    std::mt19937 random(20240502);
    int failures = 0;
    for (int i = 0; i < 10000; ++i) {
        auto text = good;
        for (auto count = random() % 4 + 1; count > 0; --count) {
            const auto at = random() % (text.size() + 1);
            switch (random() % 4) {
            case 0: text.insert(at, 1, static_cast<char>(random())); break;
            case 1: text.erase(at, random() % 6); break;
            case 2: text.insert(at, random() % 2 == 0 ? " " : "\n"); break;
            case 3: text.insert(random() % (text.size() + 1), text.substr(at, random() % 40)); break;
            }
        }
        const auto whole = read_maps(text);
        const auto split = read_maps(text, 1 + random() % 30);
        bool sound = whole.maps.size() == split.maps.size() && whole.found.size() == split.found.size();
        for (const auto& d : whole.found)
            sound = sound && d.at.line >= 1 && d.at.column >= 1 && !d.message.empty() &&
                    (d.severity == Severity::note || !d.remedy.empty());
        for (const char c : render(whole.found, "f", text)) sound = sound && (c < 0 || c >= ' ' || c == '\n');
        INFO(text);
        if (!sound) CHECK(sound);
        if (!whole.found.empty()) ++failures;
    }
    CHECK(failures > 3000);
    CHECK(failures < 9900);
}
