// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <optional>

#include <doctest/doctest.h>

#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/memory.h"
#include "nftctl/plan/compile.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/kernel_live.h"

using namespace natctl;
using namespace natctl::test;

namespace {

/// A namespace with the interfaces of a small site, and a run directory.
class Router {
public:
    Router() {
        run("ip link add lan0 type veth peer name far0 && ip link set lan0 up && ip link set far0 up && "
            "ip address add 192.168.1.1/24 dev lan0");
        site_.name = "a";
        site_.lan = {"lan0"};
        site_.maps = {{.virtual_prefix = *Prefix::parse("240.1.1.0/24"),
                       .real_prefix = *Prefix::parse("192.168.1.0/24"),
                       .name = {},
                       .at = {}}};
    }

    Site& site() { return site_; }

    /// One run of natctl: of what stood before it knows what is on the disk.
    std::unique_ptr<Kernel> kernel() {
        return make_linux_kernel({.applied = [this] { return ask(); }, .run_dir = run_dir_.path()});
    }
    /// One that runs on, as the agent does, and is told what was added to the white list at run time.
    std::unique_ptr<Kernel> lasting_kernel() {
        return make_linux_kernel({.white_now = [this] { return white_now_; },
                                  .applied = [this] { return ask(); },
                                  .run_dir = run_dir_.path(),
                                  .keep_table = true});
    }
    void add_to_white_list(const char* prefix) { white_now_.push_back({.prefix = *Prefix::parse(prefix)}); }
    void clear_white_list() { white_now_.clear(); }

    void apply() {
        natctl::apply(*kernel(), site_);
        applied_ = site_;
    }
    bool holds_site() {
        const auto now = kernel();
        return now->holds(compile(site_, now->read_facts(site_)));
    }
    /// Whether the table was made again instead of being read. What comes of it has to be the same.
    bool makes_again() {
        asked_ = 0;
        const auto plan = kernel()->read().plan;
        CHECK(plan == make_linux_kernel()->read().plan);
        return asked_ != 0;
    }

private:
    std::optional<Site> ask() {
        ++asked_;
        return applied_;
    }

    FreshNamespace fresh_;
    Site site_;
    std::optional<Site> applied_;
    unsigned asked_ = 0;
    std::vector<RunTimeEntry> white_now_;
    TemporaryDirectory run_dir_;
};

} // namespace

TEST_CASE("a table that nobody changed is known without reading it") {
    Router router;
    CHECK(!router.holds_site());
    CHECK(!router.makes_again());
    router.apply();
    CHECK(router.holds_site());
    CHECK(router.makes_again());
    router.site().maps.front().real_prefix = *Prefix::parse("192.168.7.0/24");
    CHECK(!router.holds_site());
    CHECK(router.makes_again());
    router.apply();
    CHECK(router.holds_site());
}

TEST_CASE("after any change to any table it is read, once") {
    Router router;
    router.apply();
    load("add table inet other");
    CHECK(!router.holds_site());
    CHECK(!router.makes_again());
    router.apply();
    CHECK(router.holds_site());
    load("delete element inet natctl lan_if { \"lan0\" }");
    CHECK(!router.holds_site());
    CHECK(!router.makes_again());
    router.apply();
    CHECK(router.holds_site());
}

TEST_CASE("routes and rules are looked at in any case") {
    Router router;
    router.apply();
    run("ip route flush table 7003");
    CHECK(!router.holds_site());
    CHECK(router.makes_again());
    router.apply();
    CHECK(router.holds_site());
    run("ip rule delete priority 6005");
    CHECK(!router.holds_site());
    router.apply();
    CHECK(router.holds_site());
}

TEST_CASE("what another one added to the white list at run time is seen, also when it is to go again") {
    Router router;
    const Compiler compiler(router.site());
    const auto kernel = router.lasting_kernel();
    apply(*kernel, compiler);
    CHECK(!router.lasting_kernel()->read().plan.table->find_set("white_now4")->elements.size());
    for (const bool looks_before : {true, false}) {
        router.add_to_white_list("203.0.113.7/32");
        CHECK(!apply(*router.lasting_kernel(), compiler).empty());
        // It finds it as it should be, and knows it from then on; or hears of it when it is gone again.
        if (looks_before) CHECK(apply(*kernel, compiler).empty());
        router.clear_white_list();
        CHECK(!apply(*kernel, compiler).empty());
        CHECK(make_linux_kernel()->read().plan.table->find_set("white_now4")->elements.empty());
    }
}

TEST_CASE("what is known of one network namespace does not count in another") {
    Router router;
    router.apply();
    const auto former = router.kernel();
    const FreshNamespace other;
    run("ip link add lan0 type veth peer name far0 && ip link set lan0 up && ip link set far0 up && "
        "ip address add 192.168.1.1/24 dev lan0");
    CHECK(!router.holds_site());
    CHECK(former->holds(compile(router.site(), former->read_facts(router.site()))));
}

TEST_CASE("what is remembered and cannot be read is as good as nothing") {
    const FreshNamespace fresh;
    const TemporaryDirectory run_dir;
    std::filesystem::create_directory(run_dir.path() + "/generation");
    Memory memory(run_dir.path());
    CHECK(!memory.recall());
    memory.keep({.generation = 7, .identity = *Address::parse("::7")});
    CHECK(!memory.recall());
    std::filesystem::remove(run_dir.path() + "/generation");
    memory.keep({.generation = 7, .identity = *Address::parse("::7")});
    CHECK(memory.recall() == Memory::Seen{.generation = 7, .identity = *Address::parse("::7")});
}
