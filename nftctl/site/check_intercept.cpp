// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "nftctl/site/checks.h"

namespace natctl {

namespace {

bool any_contains(const std::vector<Prefix>& prefixes, const Address& address) {
    return std::ranges::any_of(prefixes, [&](const Prefix& prefix) { return prefix.contains(address); });
}

/// By its prefixes and the endpoints that are addresses. What names resolve to is not known here.
bool is_white_listed(const WhiteList& list, const Address& address) {
    return any_contains(list.prefixes, address) ||
           std::ranges::any_of(list.endpoints, [&](const std::string& e) { return Address::parse(e) == address; });
}

void check_sources(const Site& site, const Intercept& intercept, Diagnostics& diagnostics) {
    const std::unordered_set<std::string_view> lans(site.lan.begin(), site.lan.end());
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < intercept.from.size(); ++i) {
        const auto& name = intercept.from[i];
        const auto at = position_of(intercept.from_at, i);
        if (!lans.contains(name))
            diagnostics.error(at, fmt::format("{} is no LAN of this site", name),
                              site.lan.empty() ? "name it under lan as well"
                                               : fmt::format("name it under lan as well, or write one of: {}",
                                                             fmt::join(site.lan, ", ")));
        if (!seen.insert(name).second)
            diagnostics.error(at, fmt::format("LAN {} is named twice", name), "name it once");
    }
}

void check_proxy(const Site& site, const Intercept& intercept, Diagnostics& diagnostics) {
    const auto& address = intercept.proxy.server.address;
    if (address.is_loopback()) {
        const bool guarded =
            !intercept.except_marks.empty() || !intercept.except_users.empty() || !intercept.except_cgroups.empty();
        if (intercept.local && !guarded)
            diagnostics.warning(
                intercept.proxy.at,
                fmt::format("what the proxy {} sends is intercepted again, but for the white list: a loop",
                            intercept.proxy.server.text()),
                R"(tell the proxy from other programs: except_users = ["xray"], except_cgroups or except_marks)");
        return;
    }
    const bool intercepted = intercept.to.empty() || any_contains(intercept.to, address);
    if (intercepted && !is_white_listed(site.white_list, address))
        diagnostics.error(
            intercept.proxy.at, fmt::format("what goes to the proxy {} is intercepted itself: a loop", address.text()),
            fmt::format(R"(put it on the white list: endpoints = ["{}"] in [white_list])", address.text()));
    const auto is_of_lan = [&](const Map& map) { return map.real_prefix.contains(address); };
    if (std::ranges::any_of(site.maps, is_of_lan))
        diagnostics.warning(intercept.proxy.at,
                            fmt::format("the proxy {} is in a LAN: if that one is intercepted, what the proxy sends on "
                                        "comes back to it",
                                        address.text()),
                            "name the other LANs under from, or let the proxy run on this machine");
}

void check_marks(const Site& site, const Intercept& intercept, Diagnostics& diagnostics) {
    for (std::size_t i = 0; i < intercept.except_marks.size(); ++i) {
        const auto& mark = intercept.except_marks[i];
        if ((mark.value & site.marks.mask()) != 0)
            diagnostics.error(
                position_of(intercept.mark_at, i),
                fmt::format("mark {:#x} has bits of natctl's own mask {:#010x}", mark.value, site.marks.mask()),
                "let the program use other bits, or choose another mask under [marks]");
    }
}

} // namespace

void check_intercept(const Site& site, Diagnostics& diagnostics) {
    if (!site.intercept) return;
    check_sources(site, *site.intercept, diagnostics);
    check_proxy(site, *site.intercept, diagnostics);
    check_marks(site, *site.intercept, diagnostics);
}

} // namespace natctl
