// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "nftctl/plan/render.h"

using namespace natctl;
using namespace natctl::nft;

TEST_CASE("rules print in nft's words") {
    const auto text = [](std::vector<Statement> statements) { return render(Rule{std::move(statements)}); };
    CHECK(text({Match{Field::iifname, {}, Op::ne, std::string("lo")}, Verdict{VerdictKind::jump, "antispoof"}}) ==
          "iifname != \"lo\" jump antispoof");
    CHECK(text({Match{Field::ct_state, 8u, Op::ne, 0u}, Counter{}, Verdict{VerdictKind::drop}}) ==
          "ct state new counter drop");
    CHECK(text({Lookup{{Field::oifname, Field::ip_daddr}, "from4", Op::ne}, Verdict{VerdictKind::goto_, "no_link"}}) ==
          "oifname . ip daddr != @from4 goto no_link");
    CHECK(text({SetMark{Field::ct_mark, 0xfffff0ff, 0x100}}) == "ct mark set ct mark & 0xfffff0ff | 0x00000100");
    CHECK(text({NatMap{NatKind::snat, Field::ip6_saddr, "snat6", true}}) == "snat ip6 prefix to ip6 saddr map @snat6");
}

TEST_CASE("a rule that is not ours is never printed as if it were whole") {
    const auto text = render(Rule{{Unknown{"limit"}, Verdict{VerdictKind::drop}}});
    CHECK(text.starts_with("#"));
    CHECK(text.find("limit") != std::string::npos);
}

TEST_CASE("nothing to do prints nothing") {
    CHECK(render(Plan{}).empty());
    CHECK(render(Transaction{}).empty());
}

TEST_CASE("lifetimes are printed where there are some, in whole seconds") {
    const SetSpec spec{.name = "white_now4", .key = {Datatype::ipv4_addr}, .interval = true, .timeout = true};
    const auto element = [](const char* text) { return Element{*Address::parse(text), *Address::parse(text)}; };
    Plan plan;
    plan.table.emplace().sets.push_back({spec,
                                         {element("198.51.100.7"), element("203.0.113.9")},
                                         {{*Address::parse("198.51.100.7"), std::chrono::milliseconds(29001)}}});
    CHECK(render(plan).find("\tset white_now4 { type ipv4_addr; flags interval,timeout; elements = { 198.51.100.7 "
                            "timeout 30s, 203.0.113.9 }; }\n") != std::string::npos);
    const auto& set = plan.table->sets.front();
    CHECK(render(Transaction{.changes = {AddElements{spec, set.elements, set.lifetimes}}}) ==
          "add element inet natctl white_now4 { 198.51.100.7 timeout 30s, 203.0.113.9 }\n");
    CHECK(render(Transaction{.changes = {DeleteElements{spec, set.elements}}}) ==
          "delete element inet natctl white_now4 { 198.51.100.7, 203.0.113.9 }\n");
}
