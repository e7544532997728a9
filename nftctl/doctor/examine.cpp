// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/doctor/examine.h"

#include <future>

#include "nftctl/doctor/look.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/resolve.h"
#include "nftctl/kernel/run_time_list.h"
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
    const auto white_now = look([&] { return read_run_time_entries(seen.invocation.run_dir); });
    seen.facts->white_now = *white_now;
    seen.white_now_failure = white_now.failure;
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

/// As apply() would see them: of a name that does not resolve now the last known addresses count.
void look_at_names(Examination& seen, const Site& site, const Seen<Endpoints>& resolved) {
    if (!resolved) {
        seen.unresolved = Seen<std::map<std::string, std::string>>::failed(resolved.failure);
        return;
    }
    const auto last = look([&] { return read_endpoints(seen.invocation.state_dir); });
    const auto resolution = complete(endpoint_names(site), *resolved, *last);
    std::map<std::string, std::string> unresolved;
    for (const auto& name : resolution.remembered) unresolved.emplace(name, "the addresses it had last stand in");
    for (const auto& name : resolution.unresolved) unresolved.emplace(name, "it never did");
    seen.unresolved = std::move(unresolved);
    seen.facts->endpoints = resolution.endpoints;
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
    auto resolved = std::async(std::launch::async, [site] {
        return look([site] { return resolve(endpoint_names(*site), patience, look_up_host); });
    });
    look_at_machine(seen, site);
    seen.wireguard = look([&] { return read_wireguard(link_interfaces(*site)); });
    seen.proxies = proxies.get();
    look_at_names(seen, *site, resolved.get());
    return seen;
}

} // namespace natctl::doctor
