// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/plan/transaction.h"

namespace natctl {

/// The plan as text that `nft -f` accepts; it replaces the table when there is one. Routes and policy rules follow as
/// comments in the form of the ip command. Empty for an empty plan.
std::string render(const Plan& plan);

/// The changes as commands that `nft -f` accepts, one a line, routes and policy rules as comments. Empty when nothing
/// changes.
std::string render(const Transaction& transaction);

std::string render(const nft::Rule& rule);
std::string render(const nft::Verdict& verdict);
std::string render(const PolicyRule& rule);
std::string render(const Route& route);

/// As between the braces of `elements = { ... }`.
std::string render(const nft::SetSpec& spec, const nft::Element& element);

} // namespace natctl
