// SPDX-License-Identifier: GPL-3.0-or-later
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nftctl/kernel/refusal.h"
#include "tests/unit/kernel_sample.h"

using namespace natctl;
using namespace natctl::nft;

namespace {

/// All that is said about a rule, wherever in its message the refused attribute stands.
std::set<std::string> refusals(const Rule& rule, int error) {
    std::set<std::string> texts;
    for (std::uint32_t offset = 0; offset < 1000; ++offset)
        texts.insert(refusal(AddRule{"pre", rule}, {.error = error, .offset = offset}).what());
    return texts;
}

const std::string start = "cannot add rule to chain pre of table inet natctl: ";
const std::string missing = start + "No such file or directory";
const std::string unknown =
    missing + "; what it builds on is not there: `natctl doctor` names what the kernel lacks; if it names nothing, "
              "somebody else changed it meanwhile: try again";

} // namespace

TEST_CASE("what the kernel lacks is named by its module") {
    const Rule rule{{Match{Field::ct_direction, {}, Op::eq, 1U}, Lookup{{Field::ip_saddr}, "own4"},
                     Tproxy{Endpoint::parse("127.0.0.1:12345").value()}, Verdict{VerdictKind::goto_, "end"}}};
    CHECK(refusals(rule, ENOENT) ==
          std::set<std::string>{
              unknown,
              missing + "; the kernel lacks nft_ct (CONFIG_NFT_CT): modprobe nft_ct",
              missing + "; the kernel lacks nft_tproxy (CONFIG_NFT_TPROXY): modprobe nft_tproxy",
              missing + "; there is no set own4",
              missing + "; there is no chain end",
          });
    CHECK(refusals(rule, EINVAL) ==
          std::set<std::string>{start +
                                "Invalid argument; this kernel does not take it: `natctl doctor` tries out what "
                                "it needs, and says which release has it"});
    const Rule nat{{NatMap{NatKind::dnat, Field::ip_daddr, "dnat4", true}}};
    CHECK(refusals(nat, ENOENT).contains(missing + "; the kernel lacks nft_nat (CONFIG_NFT_NAT): modprobe nft_nat"));
}

TEST_CASE("refusals name the object, and the way out") {
    const SetSpec hosts{.name = "hosts", .key = {Datatype::ipv4_addr}, .size = 4};
    const auto text = [](const Change& change, const netlink::Answer& answer) {
        return std::string(refusal(change, answer).what());
    };
    CHECK(text(AddElements{hosts, {}}, {.error = ENFILE}) ==
          "cannot add elements to set hosts of table inet natctl: Too many open files in system; it holds at most 4");
    CHECK(text(AddChain{"nat_pre", Hook{ChainType::nat, HookPoint::prerouting, 0}}, {.error = ENOENT})
              .ends_with("the kernel lacks nft_chain_nat (CONFIG_NFT_NAT): modprobe nft_chain_nat"));
    CHECK(text(AddTable{}, {.error = EPERM}) ==
          "cannot add table inet natctl: Operation not permitted; run it as root");
    CHECK(text(AddTable{.ownable = true}, {.error = EOPNOTSUPP})
              .ends_with("need Linux 6.9: take own_table out of [agent] in site.toml"));
    const std::string told = text(FlushChain{"pre"}, {.error = EINVAL, .text = "too bad"});
    CHECK(told.starts_with("cannot flush chain pre of table inet natctl: Invalid argument; "));
    CHECK(told.ends_with("; the kernel says: too bad"));
    CHECK(refusal(DeleteTable{}, {.error = EBUSY}).error() == EBUSY);
}

TEST_CASE("no refusal is a bare errno") {
    const SetSpec hosts{.name = "hosts", .key = {Datatype::ipv4_addr}};
    const std::vector<Change> changes{AddTable{},
                                      DeleteTable{},
                                      AddSet{hosts},
                                      AddElements{hosts, {}},
                                      DeleteElements{hosts, {}},
                                      AddChain{"pre", {}},
                                      FlushChain{"pre"},
                                      AddRule{"pre", {{Counter{}}}}};
    for (const Change& change : changes)
        for (int error = 1; error < 134; ++error) {
            const std::string what = refusal(change, {.error = error}).what();
            // Verb and object, cause, way out.
            CHECK_MESSAGE(what.starts_with("cannot "), what);
            CHECK_MESSAGE(what.find(" table inet natctl: ") != std::string::npos, what);
            CHECK_MESSAGE(what.find("; ") != std::string::npos, what);
        }
}

TEST_CASE("an error of the system has a way out of its own, or the usual one") {
    CHECK(std::string(SystemError("open", "/run/x", EACCES).what()) ==
          "cannot open /run/x: Permission denied; run it as root");
    CHECK(std::string(SystemError("open", "/run/x", EACCES, "ask somebody").what()) ==
          "cannot open /run/x: Permission denied; ask somebody");
    for (const int error :
         {ENOSPC, EROFS, EMFILE, ENFILE, ENOMEM, ENOBUFS, ENOTDIR, EBUSY, EAGAIN, EBADMSG, EOPNOTSUPP})
        CHECK(std::string(SystemError("write", "/run/x", error).what()).find("; ") != std::string::npos);
}
