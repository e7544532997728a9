// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "agent/file_watch.h"
#include "tests/support/temporary_directory.h"

using namespace natctl;
using namespace natctl::test;

namespace {

namespace fs = std::filesystem;
using Paths = std::set<std::string>;

void write(const fs::path& path) { std::ofstream(path) << "text"; }

} // namespace

TEST_CASE("a file is watched through everything that people do to it") {
    const TemporaryDirectory directory;
    const auto path = fs::path(directory.path()) / "site.toml";
    const auto other = fs::path(directory.path()) / "site.toml.swp";
    FileWatch watch;
    watch.set({path.string()});
    CHECK(watch.take().empty());
    write(path);
    CHECK(watch.take() == Paths{path.string()});
    CHECK(watch.take().empty());
    write(other);
    CHECK(watch.take().empty());
    fs::rename(other, path);
    CHECK(watch.take() == Paths{path.string()});
    fs::remove(path);
    CHECK(watch.take() == Paths{path.string()});
    write(path);
    CHECK(watch.take() == Paths{path.string()});
    watch.set({});
    write(path);
    CHECK(watch.take().empty());
}

TEST_CASE("setting the same paths again loses nothing") {
    const TemporaryDirectory directory;
    const auto path = (fs::path(directory.path()) / "site.toml").string();
    FileWatch watch;
    watch.set({path});
    write(path);
    watch.set({path});
    CHECK(watch.take() == Paths{path});
}

TEST_CASE("what a link leads to is watched as well as the link") {
    const TemporaryDirectory directory;
    const auto root = fs::path(directory.path());
    fs::create_directory(root / "real");
    fs::create_directory(root / "etc");
    write(root / "real/one.toml");
    write(root / "real/two.toml");
    const auto path = root / "etc/site.toml";
    fs::create_symlink("../real/one.toml", path);
    FileWatch watch;
    watch.set({path.string()});
    write(root / "real/one.toml");
    CHECK(watch.take() == Paths{path.string()});
    fs::create_symlink("../real/two.toml", root / "etc/new");
    fs::rename(root / "etc/new", path);
    CHECK(watch.take() == Paths{path.string()});
    watch.set({path.string()});
    write(root / "real/one.toml");
    CHECK(watch.take().empty());
    write(root / "real/two.toml");
    CHECK(watch.take() == Paths{path.string()});
}

TEST_CASE("a directory may go and come") {
    const TemporaryDirectory directory;
    const auto folder = fs::path(directory.path()) / "etc";
    const auto path = (folder / "site.toml").string();
    FileWatch watch;
    watch.set({path});
    fs::create_directory(folder);
    watch.set({path});
    write(path);
    CHECK(watch.take() == Paths{path});
    fs::remove_all(folder);
    CHECK(watch.take() == Paths{path});
    fs::create_directory(folder);
    watch.set({path});
    write(path);
    CHECK(watch.take() == Paths{path});
}

TEST_CASE("it says when there is more to watch than before, and that a directory cannot be watched") {
    const TemporaryDirectory directory;
    const auto later = fs::path(directory.path()) / "later";
    const auto path = (later / "site.toml").string();
    FileWatch watch;
    CHECK(watch.set({path}).empty());
    CHECK(watch.take_failure().empty());
    fs::create_directory(later);
    CHECK(watch.set({path}) == Paths{path});
    CHECK(watch.set({path}).empty());
    // It is replaced.
    fs::rename(later, later.string() + ".old");
    CHECK(watch.take() == Paths{path});
    CHECK(watch.set({path}).empty());
    fs::create_directory(later);
    CHECK(watch.set({path}) == Paths{path});
    // A name that is too long is as good as any other refusal.
    CHECK(watch.set({(fs::path(directory.path()) / std::string(300, 'x') / "site.toml").string()}).empty());
    CHECK(watch.take_failure().find("cannot watch") != std::string::npos);
    CHECK(watch.take_failure().empty());
}
