// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/kernel_live.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <doctest/doctest.h>
#include <sched.h>

namespace natctl::test {

namespace {

struct Close {
    int* status;
    void operator()(std::FILE* file) const { *status = pclose(file); }
};

} // namespace

FreshNamespace::FreshNamespace() {
    constexpr int skipped = 77;
    if (unshare(CLONE_NEWNET) < 0) {
        std::printf("skipped: cannot make a network namespace: %s; run it as root\n", std::strerror(errno));
        std::exit(skipped);
    }
    run("ip link set lo up");
}

std::string run(const std::string& command) {
    std::string output;
    int status = 0;
    {
        const std::unique_ptr<std::FILE, Close> pipe(popen((command + " 2>&1").c_str(), "re"), Close{&status});
        REQUIRE(pipe);
        std::array<char, 4096> buffer{};
        while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
            output.append(buffer.data(), size);
    }
    REQUIRE_MESSAGE(status == 0, command << ": " << output);
    return output;
}

void load(const std::string& script) {
    int status = 0;
    {
        const std::unique_ptr<std::FILE, Close> pipe(popen("nft -f -", "we"), Close{&status});
        REQUIRE(pipe);
        REQUIRE(std::fwrite(script.data(), 1, script.size(), pipe.get()) == script.size());
    }
    REQUIRE(status == 0);
}

std::string list_table() { return run("nft --stateless list table inet natctl"); }

} // namespace natctl::test
