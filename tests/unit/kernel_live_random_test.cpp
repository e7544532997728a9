// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "nftctl/base/fd.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/render.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/kernel_live.h"
#include "tests/unit/random_site.h"

using namespace natctl;
using namespace natctl::test;

// Random sites on the real kernel. NATCTL_RANDOM_ROUNDS and NATCTL_RANDOM_SEED in the environment make it run longer,
// and otherwise.

namespace {

unsigned from_environment(const char* name, unsigned otherwise) {
    const char* const text = std::getenv(name);
    return text ? static_cast<unsigned>(std::stoul(text)) : otherwise;
}

unsigned rounds(unsigned otherwise) { return from_environment("NATCTL_RANDOM_ROUNDS", otherwise); }
unsigned seed() { return from_environment("NATCTL_RANDOM_SEED", 20261121); }

/// A router with all interfaces that random sites name, but for wg9.
class RouterNamespace {
public:
    RouterNamespace() {
        std::string lines;
        for (const std::string name : {"lan0", "lan1", "ov0", "wg0"})
            lines += "link add " + name + " type veth peer name far-" + name + "\nlink set " + name +
                     " up\nlink set far-" + name + " up\n";
        for (const std::string address :
             {"192.168.1.1/24 dev lan0", "fd00:a::1/64 dev lan0 nodad", "10.10.10.10/24 dev lan1",
              "172.31.0.1/24 dev ov0", "fd00:ff::1/64 dev ov0 nodad", "172.31.1.1/32 dev wg0"})
            lines += "addr add " + address + "\n";
        run("echo '" + lines + "' | ip -batch -");
    }

    /// Makes it the calling thread's again.
    void enter() const { REQUIRE(::setns(fd_.get(), CLONE_NEWNET) == 0); }

private:
    FreshNamespace fresh_;
    Fd fd_{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
};

/// nft's order of elements within a set is any.
std::string with_sorted_elements(std::string listing) {
    static constexpr std::string_view opening = "elements = {";
    for (auto at = listing.find(opening); at != std::string::npos; at = listing.find(opening, at)) {
        at += opening.size();
        const auto end = listing.find('}', at);
        std::vector<std::string> elements(1);
        for (const char c : listing.substr(at, end - at)) {
            if (c == ',')
                elements.emplace_back();
            else if (c != '\n' && c != '\t')
                elements.back() += c;
        }
        for (auto& element : elements) {
            element.erase(0, element.find_first_not_of(' '));
            element.erase(element.find_last_not_of(' ') + 1);
        }
        std::ranges::sort(elements);
        std::string sorted;
        for (const auto& element : elements) sorted += element + ",";
        listing.replace(at, end - at, sorted);
    }
    return listing;
}

/// What nft makes of a text, where nothing else is.
std::string as_nft_makes_it(const std::string& text) {
    const FreshNamespace judge;
    load(text);
    return with_sorted_elements(list_table());
}

bool comes_true(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }

std::string family_option(Family family) { return family == Family::ipv4 ? "-4 " : "-6 "; }

/// Somebody does what is not his business. Returns the command.
std::string disturb(const Plan& plan, std::mt19937& random) {
    const auto any = [&](const auto& items) -> const auto& { return items[random() % items.size()]; };
    const auto& route = any(plan.routes);
    const auto& rule = any(plan.rules);
    std::vector<const nft::Set*> full;
    for (const auto& set : plan.table->sets)
        if (!set.elements.empty()) full.push_back(&set);
    const auto& set = *any(full);
    const auto& chain = any(plan.table->chains).name;
    const std::string ours = " inet natctl ";
    const auto element = render(set.spec, any(set.elements));
    const std::vector<std::string> commands{
        "nft delete table inet natctl",
        std::string("nft flush ") + (set.spec.data ? "map" : "set") + ours + set.spec.name,
        "nft delete element" + ours + set.spec.name + quoted("{ " + element + " }"),
        "nft flush chain" + ours + chain,
        "nft add rule" + ours + chain + " counter",
        "nft add set" + ours + quoted("others { type ipv4_addr; }"),
        "ip " + family_option(route.destination.family()) + "route delete table " + std::to_string(route.table) + " " +
            (route.type == RouteType::unicast ? ""
             : route.type == RouteType::local ? "local "
                                              : "unreachable ") +
            route.destination.text(),
        "ip " + family_option(rule.family) + "rule delete pref " + std::to_string(rule.priority) + " table " +
            std::to_string(rule.table),
    };
    return any(commands);
}

} // namespace

TEST_CASE("on the real kernel, the difference leads to the same as a fresh start, for random sites and edits") {
    const TemporaryDirectory directory;
    const RouterNamespace router;
    std::mt19937 random(seed());
    KernelSources sources{.endpoints = {{random_endpoint, {Address::v4(0xcb007163)}}}, .run_dir = directory.path()};
    std::vector<RunTimeEntry> entries;
    sources.white_now = [&] { return entries; };
    // As after a loss of power, what was applied last is not always known, and may be out of date.
    std::optional<Site> applied;
    sources.applied = [&] { return applied; };
    const auto kernel = make_linux_kernel(sources);
    // Remembers nothing, so it reads what is there.
    const auto observer = make_linux_kernel();
    FakeKernel fake;
    Site site = random_site(random);
    for (unsigned round = 0, count = rounds(10); round < count; ++round) {
        INFO("NATCTL_RANDOM_SEED=" << seed() << ", round " << round);
        site = random() % 4 == 0 ? random_site(random) : random_edit(site, random);
        if (random() % 3 == 0) entries = random_entries(random);
        const auto other = random() % 2 ? OtherLifetime::replaced : OtherLifetime::kept;
        apply(*kernel, site, warn_on_stderr, other);
        fake.facts = kernel->read_facts(site);
        apply(fake, site, warn_on_stderr, other);
        const auto wanted = compile(site, fake.facts);
        const auto held = observer->read().plan;
        if (random() % 4 != 0) applied = site;
        REQUIRE(held == kernel->read().plan);
        REQUIRE(held == fake.plan());
        REQUIRE(held == wanted);
        CHECK(kernel->holds(wanted));
        CHECK(apply(*kernel, site).empty());
        {
            const RouterNamespace scratch;
            auto fresh_sources = sources;
            fresh_sources.run_dir.clear();
            fresh_sources.applied = {};
            const auto fresh = make_linux_kernel(fresh_sources);
            apply(*fresh, site);
            REQUIRE(held == fresh->read().plan);
            const auto listing = with_sorted_elements(list_table());
            CHECK(as_nft_makes_it(render(wanted)) == listing);
        }
        router.enter();

        run("nft add table inet foreign");
        CHECK(!kernel->holds(wanted));
        CHECK(apply(*kernel, site).empty());
        CHECK(kernel->holds(wanted));
        run("nft delete table inet foreign");
        CHECK(pending(*kernel, site).empty());

        apply(*kernel, site);
        const auto disturbance = disturb(held, random);
        INFO(disturbance);
        run(disturbance);
        CHECK(!kernel->holds(wanted));
        CHECK(!apply(*kernel, site).empty());
        REQUIRE(observer->read().plan == wanted);
        // What another run of natctl remembers.
        CHECK(make_linux_kernel(sources)->holds(wanted));
    }
    take_down(*kernel);
    CHECK(observer->read().plan == Plan{});
    CHECK(run("ip route show table all proto 117; ip -6 route show table all proto 117; nft list tables") == "");
}

TEST_CASE("on the real kernel, links that go down and come back leave what a fresh start makes") {
    const TemporaryDirectory directory;
    const RouterNamespace router;
    std::mt19937 random(seed());
    Site site;
    const auto kernel = make_linux_kernel({.applied = [&] { return site; }, .run_dir = directory.path()});
    const auto observer = make_linux_kernel();
    std::map<std::string, bool> up{{"ov0", true}, {"wg0", true}};
    for (unsigned round = 0, count = rounds(12); round < count; ++round) {
        INFO("NATCTL_RANDOM_SEED=" << seed() << ", round " << round);
        const auto next = random_site(random);
        apply(*kernel, next);
        site = next;
        auto& link = *std::next(up.begin(), random() % 2);
        link.second = !link.second;
        run("ip link set " + link.first + (link.second ? " up" : " down"));
        // That an interface runs the kernel says a moment later.
        REQUIRE(comes_true([&] { return kernel->read_facts(site).find(link.first)->up == link.second; }));
        // The kernel drops it with the link, and whoever configures the link gives it again.
        if (link.second && link.first == "ov0") run("ip addr replace fd00:ff::1/64 dev ov0 nodad");
        apply(*kernel, site);
        const auto held = observer->read().plan;
        CHECK(held == compile(site, kernel->read_facts(site)));
        CHECK(kernel->holds(held));
        CHECK(apply(*kernel, site).empty());
    }
}
