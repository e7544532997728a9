// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/doctor/checks.h"

namespace natctl::test {

/// Site a of the documentation: lan0, peer b by ov0.
Site sample_site();
/// The same with a proxy in the place of ov0.
Site sample_proxy_site();

/// A machine on which nothing is wrong with either.
doctor::Examination sample_examination(const Site& site);

/// What the check of this name says; fails the test when there is none.
doctor::Findings findings_of(const std::string& check, const Site& site, const doctor::Examination& seen);

/// Exactly one finding of this grade, whose words contain `words`; returns its command.
std::string command_of(const doctor::Findings& findings, doctor::Grade grade, const std::string& words);

} // namespace natctl::test
