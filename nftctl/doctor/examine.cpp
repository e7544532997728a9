// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/doctor/examine.h"

#include <future>

#include "nftctl/doctor/look.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/plan/compile.h"

namespace natctl::doctor {

namespace {

constexpr std::chrono::milliseconds patience(1000);

void look_at_machine(Examination& seen, const Site* site) {
    seen.devices = look(read_devices);
    seen.sysctls = look([&] { return read_sysctls(site); });
    seen.features = look(read_features);
    // Of a site that is not known the facts are the machine's alone.
    seen.facts = look([&] { return make_linux_kernel()->read_facts(site != nullptr ? *site : Site{}); });
    seen.plan = look([] { return make_linux_kernel()->read().plan; });
    seen.tables = look(read_foreign_tables);
    seen.legacy_tables = look(read_legacy_tables);
    seen.rules = look(read_foreign_rules);
    if (seen.rules)
        seen.routes = look([&] { return read_foreign_routes(*seen.rules); });
    else
        seen.routes = Seen<std::vector<ForeignRoute>>::failed(seen.rules.failure);
    seen.listening = look(read_listening_sockets);
    seen.tunnel = look([&] { return read_tunnel(seen.invocation.run_dir); });
    seen.agent = look(read_agent);
    seen.clock = look(read_clock);
    seen.paths = look([&] { return read_paths(seen.invocation); });
}

} // namespace

Examination examine(const Site* site, const Invocation& invocation) {
    Examination seen;
    seen.invocation = invocation;
    if (site == nullptr) {
        look_at_machine(seen, site);
        return seen;
    }
    // What waits for others goes on meanwhile.
    auto proxies =
        std::async(std::launch::async, [site] { return look([site] { return ask_proxies(*site, patience); }); });
    auto unresolved = std::async(std::launch::async, [site] {
        return look([site] { return resolve_names(site->white_list.endpoints, patience); });
    });
    look_at_machine(seen, site);
    seen.wireguard = look([&] { return read_wireguard(link_interfaces(*site)); });
    seen.proxies = proxies.get();
    seen.unresolved = unresolved.get();
    return seen;
}

} // namespace natctl::doctor
