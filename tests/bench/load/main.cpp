// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "load/load.h"

namespace {

using natctl::Endpoint;
using Arguments = std::vector<std::string>;

Endpoint endpoint(const std::string& text) { return Endpoint::parse(text).value(); }
std::uint16_t port(const std::string& text) { return static_cast<std::uint16_t>(std::stoul(text)); }

struct Verb {
    std::size_t arguments;
    std::function<void(const Arguments&)> run;
};

using namespace natctl::bench;

/// Of the benchmark alone, so that its arguments have no names.
const std::map<std::string, Verb> verbs{
    {"echo", {2, [](const Arguments& a) { echo(port(a[0]), static_cast<unsigned>(std::stoul(a[1]))); }}},
    {"sink", {1, [](const Arguments& a) { sink(port(a[0])); }}},
    {"flows",
     {4,
      [](const Arguments& a) {
          flows(endpoint(a[0]), static_cast<unsigned>(std::stoul(a[1])), std::stoul(a[2]), std::stod(a[3]));
      }}},
    {"hold", {2, [](const Arguments& a) { hold(endpoint(a[0]), std::stoul(a[1])); }}},
    {"bulk",
     {4,
      [](const Arguments& a) {
          bulk(a[0] == "-" ? std::nullopt : std::optional(endpoint(a[0])), endpoint(a[1]), std::stoul(a[2]),
               std::stod(a[3]));
      }}},
    {"udp",
     {5,
      [](const Arguments& a) {
          udp(std::stoi(a[0]), std::stoi(a[1]), std::stoul(a[2]), std::stod(a[3]), std::stod(a[4]));
      }}},
};

} // namespace

int main(int argc, char** argv) {
    const Arguments arguments(argv + 1, argv + argc);
    const auto verb = arguments.empty() ? verbs.end() : verbs.find(arguments.front());
    if (verb == verbs.end() || verb->second.arguments != arguments.size() - 1) {
        std::fputs("usage: natctl-bench-load VERB ARGUMENTS...; see tests/bench/load/load.h\n", stderr);
        return 2;
    }
    try {
        verb->second.run(Arguments(arguments.begin() + 1, arguments.end()));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "natctl-bench-load: %s\n", error.what());
        return 1;
    }
}
