// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/compile_helpers.h"

#include <algorithm>
#include <iterator>

namespace natctl {

namespace {

using namespace nft;
using namespace words;

struct Known {
    Helper helper;
    const char* name;
    std::uint8_t protocol;
    std::uint16_t port;
};
constexpr Known all[] = {
    {Helper::ftp, "ftp", protocol_tcp, 21},
    {Helper::sip, "sip", protocol_udp, 5060},
};

std::vector<Known> wanted(const Site& site) {
    std::vector<Known> result;
    std::ranges::copy_if(all, std::back_inserter(result), [&](const Known& known) {
        return std::ranges::find(site.helpers, known.helper) != site.helpers.end();
    });
    return result;
}

/// After conntrack (-200), before NAT.
Chain choose(const Site& site, const std::string& name, HookPoint point) {
    ChainWriter chain(name, Hook{ChainType::filter, point, -149});
    for (const auto& known : wanted(site))
        for (const char* set : {"own", "peer"})
            for (const auto& half : halves())
                chain.rule(is_new(), half.to(set), is(Field::l4proto, known.protocol), is(Field::th_dport, known.port),
                           SetHelper{known.name});
    return chain.done();
}

} // namespace

std::vector<HelperObject> helper_objects(const Site& site) {
    std::vector<HelperObject> objects;
    for (const auto& known : wanted(site)) objects.push_back({known.name, known.name, known.protocol});
    return objects;
}

std::vector<Chain> helper_chains(const Site& site) {
    if (site.helpers.empty()) return {};
    return {choose(site, "help_forwarded", HookPoint::prerouting), choose(site, "help_local", HookPoint::output)};
}

} // namespace natctl
