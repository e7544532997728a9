// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/doctor/firewall.h"
#include "nftctl/kernel/nftnl_ptr.h"

namespace natctl::doctor {

/// The expressions of whatever rule; those that have no effect on packets (counters, logs) are left out.
firewall::Rule read_rule(const nftnl_rule& rule);

/// Puts elements together from the parts of a dump.
class ElementReader {
public:
    explicit ElementReader(bool interval) : interval_(interval) {}

    void take(const nftnl_set& elements);
    std::vector<firewall::Element> finish();

private:
    struct Part {
        firewall::Element element;
        bool ends = false;
    };

    bool interval_;
    std::vector<Part> parts_;
};

} // namespace natctl::doctor
