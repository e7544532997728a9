// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "nftctl/site/check.h"
#include "tests/unit/random_site.h"

using namespace natctl;
using namespace natctl::test;

TEST_CASE("random sites are sites that check accepts") {
    std::mt19937 random(20261121);
    Site site = random_site(random);
    for (int round = 0; round < 500; ++round) {
        site = random() % 4 == 0 ? random_site(random) : random_edit(site, random);
        Diagnostics diagnostics;
        check_site(site, diagnostics);
        for (const auto& found : diagnostics.take()) CHECK_MESSAGE(found.severity != Severity::error, found.message);
    }
}
