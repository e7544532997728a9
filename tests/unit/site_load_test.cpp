// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/load.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/site/secret.h"
#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

/// A folder that goes away with everything in it.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "natctl-site-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
        auto path = *this / name;
        std::ofstream(path, std::ios::binary) << text;
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        return path;
    }

private:
    std::filesystem::path path_;
};

std::string with_password(const std::string& file) {
    return good_site + peer_of("'b'", "'198.18.2.0/24'",
                               "{ socks5 = '127.0.0.1:1080', user = 'u', password_file = '" + file + "' }");
}

const Credentials& credentials_of(const Site& site) {
    return std::get<SocksLink>(site.peers.at(0).links.at(0)).credentials.value();
}

int error_of(const std::string& path) {
    try {
        load_site(path);
    } catch (const SystemError& error) {
        return error.error();
    }
    return 0;
}

int secret_error(const std::string& path) {
    try {
        read_secret(path);
    } catch (const SystemError& error) {
        return error.error();
    }
    return 0;
}

} // namespace

TEST_CASE("a file is loaded with its text") {
    const Folder folder;
    const auto result = load_site(folder.write("site.toml", good_site));
    CHECK(result.site);
    CHECK(result.source == good_site);
    CHECK(result.diagnostics.empty());
    const auto bad = load_site(folder.write("bad.toml", good_site + "x = 1"));
    CHECK(!bad.site);
    CHECK(bad.diagnostics.size() == 1);
}

TEST_CASE("what cannot be read is the system's refusal") {
    const Folder folder;
    CHECK(error_of(folder / "none.toml") == ENOENT);
    CHECK(error_of(folder / ".") == EISDIR);
    const auto large = folder.write("large.toml", good_site);
    REQUIRE(::truncate(large.c_str(), static_cast<off_t>(max_site_size) + 1) == 0);
    CHECK(error_of(large) == EFBIG);
    CHECK_THROWS_WITH_AS(load_site(large),
                         ("cannot read " + large + ": File too large; a site.toml has at most 64 MiB").c_str(),
                         SystemError);
}

TEST_CASE("password files are found beside site.toml and made absolute") {
    const Folder folder;
    std::filesystem::create_directory(folder / "secrets");
    const auto password = folder.write("secrets/b.password", "secret\n");
    const auto site = folder.write("site.toml", with_password("./secrets/../secrets/b.password"));
    const auto result = load_site(site);
    REQUIRE(result.site);
    CHECK(credentials_of(*result.site).password_file == password);
    CHECK(read_secret(password) == "secret");
    const auto absolute = load_site(folder.write("absolute.toml", with_password(password)));
    REQUIRE(absolute.site);
    CHECK(credentials_of(*absolute.site).password_file == password);
    // A relative path of site.toml is relative to the working folder.
    const auto relative = load_site(std::filesystem::relative(site).string());
    REQUIRE(relative.site);
    CHECK(credentials_of(*relative.site).password_file == password);
}

TEST_CASE("password files that others may use are refused, where they are named") {
    const Folder folder;
    const std::string toml = folder.write("site.toml", with_password("b.password"));
    const auto refusal = [&] {
        const auto result = load_site(toml);
        CHECK(!result.site);
        REQUIRE(result.diagnostics.size() == 1);
        CHECK(result.diagnostics[0].at.line == 9);
        CHECK(result.diagnostics[0].at.column == 65);
        CHECK(result.source.substr(result.source.find("password_file")).starts_with("password_file = 'b.password'"));
        return result.diagnostics[0];
    };
    const auto path = folder / "b.password";

    auto found = refusal();
    CHECK(found.message == "cannot open " + path + ": No such file or directory");
    CHECK(found.remedy.find("mode 600") != std::string::npos);
    for (const mode_t mode : {0640u, 0604u, 0620u, 0601u, 0666u}) {
        folder.write("b.password", "secret\n", mode);
        found = refusal();
        CHECK(found.message.starts_with("others may use " + path));
        CHECK(found.remedy == "chmod 600 " + path);
        CHECK(secret_error(path) == EACCES);
    }
    folder.write("b.password", "\nsecond line\n");
    CHECK(refusal().message == "the first line of " + path + " is empty");
    CHECK(secret_error(path) == EINVAL);
    folder.write("b.password", std::string(256, 'x'));
    CHECK(refusal().message == "the first line of " + path + " has more than 255 bytes");
    CHECK(secret_error(path) == EINVAL);
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    CHECK(refusal().message == path + " is no regular file");
    CHECK(secret_error(path) == EINVAL);
    std::filesystem::remove(path);
    // Nobody writes to this FIFO: whoever waited for that would hang.
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(refusal().message == path + " is no regular file");
    CHECK(secret_error(path) == EINVAL);
    std::filesystem::remove(path);
    CHECK(secret_error(path) == ENOENT);
    folder.write("b.password", "secret", 0400);
    CHECK(load_site(toml).site);
}

TEST_CASE("the remedy can be pasted into a shell") {
    const Folder folder;
    folder.write("it's $HOME", "secret", 0644);
    const auto result = load_site(folder.write(
        "site.toml", good_site + peer_of("'b'", "'198.18.2.0/24'",
                                         "{ socks5 = '127.0.0.1:1', user = 'u', password_file = \"it's $HOME\" }")));
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].remedy == "chmod 600 '" + (folder / "it") + "'\\''s $HOME'");
}

TEST_CASE("listeners' password files are checked too") {
    const Folder folder;
    const auto result = load_site(folder.write(
        "site.toml", good_site + "[[tunnel.socks5]]\nlisten = '203.0.113.2:1'\nuser = 'a'\npassword_file = 'none'\n"));
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].at.line == 9);
    CHECK(result.diagnostics[0].at.column == 17);
}

TEST_CASE("a secret is the first line") {
    const Folder folder;
    for (const auto& [text, secret] : {std::pair<std::string, std::string>{"a", "a"},
                                       {"a\n", "a"},
                                       {"a\r\n", "a"},
                                       {" a b \nc\n", " a b "},
                                       {std::string(255, 'x') + "\n", std::string(255, 'x')},
                                       {std::string(255, 'x') + "\r\n", std::string(255, 'x')},
                                       {std::string(255, 'x'), std::string(255, 'x')},
                                       {"a\n" + std::string(100000, 'y'), "a"}})
        CHECK(read_secret(folder.write("p", text)) == secret);
    // What counts is the file that was opened: a link is followed.
    const auto open = folder.write("open", "a", 0644);
    std::filesystem::create_symlink(open, folder / "link");
    CHECK(secret_error(folder / "link") == EACCES);
}
