// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/facts.h"

#include <algorithm>

namespace natctl {

const Interface* Facts::find(const std::string& name) const {
    const auto found = std::ranges::find(interfaces, name, &Interface::name);
    return found == interfaces.end() ? nullptr : &*found;
}

} // namespace natctl
