// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/metrics.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "agent/exposition.h"

namespace natctl {

namespace {

double seconds_of(std::chrono::system_clock::time_point time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void write_agent(Exposition& out, const View& view) {
    const auto& state = view.state;
    out.family("natctl_build_info", "gauge", "The release that runs; always 1.");
    out.sample({{"version", NATCTL_VERSION}}, true);
    out.single("natctl_site_applied", "gauge", "1: a configuration is applied and kept up.", view.site != nullptr);
    out.family("natctl_site_info", "gauge", "The site that is applied; always 1.");
    if (view.site) out.sample({{"site", view.site->name}}, true);
    out.single("natctl_failing", "gauge", "1: the agent cannot do its work; its log says why.", !state.failure.empty());
    out.single("natctl_fighting", "gauge", "1: another program undoes the agent's work again and again.",
               state.fighting);
    out.single("natctl_trial_running", "gauge", "1: a configuration is on trial.", view.trial.has_value());
    out.single("natctl_looks_total", "counter", "Looks at the kernel.", state.looks);
    out.single("natctl_changes_total", "counter", "Changes committed to the kernel.", state.changes);
    out.single("natctl_repairs_total", "counter", "Those of them that put back what another program took away.",
               state.repairs);
    out.single("natctl_failures_total", "counter", "Looks and reloads that failed.", view.looks.failed);
}

void write_looks(Exposition& out, const LookFigures& looks) {
    out.single("natctl_last_look_timestamp_seconds", "gauge", "When the last look ended, since 1970.",
               seconds_of(looks.last_at));
    out.single("natctl_last_look_duration_seconds", "gauge", "How long it took.", looks.last);
    out.family("natctl_look_duration_seconds", "histogram", "How long looks and reloads took.");
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < LookFigures::bounds.size(); ++i) {
        sum += looks.counts[i];
        out.sample({{"le", fmt::format("{}", LookFigures::bounds[i])}}, sum, "_bucket");
    }
    sum += looks.counts.back();
    out.sample({{"le", "+Inf"}}, sum, "_bucket");
    out.sample({}, looks.sum, "_sum");
    out.sample({}, sum, "_count");
}

void write_links(Exposition& out, const View& view) {
    struct Row {
        std::string peer;
        LinkView link;
    };
    std::vector<Row> rows;
    out.single("natctl_peers", "gauge", "Peers of the site.", std::uint64_t{view.site->peers.size()});
    out.family("natctl_peer_up", "gauge", "1: one of the peer's links is used; 0: flows to it are refused.");
    for (const auto& peer : view.site->peers) {
        auto links = links_of(peer, view);
        out.sample({{"peer", peer.name}}, std::ranges::any_of(links, &LinkView::used));
        for (auto& link : links) rows.push_back({peer.name, std::move(link)});
    }
    out.family("natctl_link_usable", "gauge", "1: the link could carry flows now.");
    for (const auto& [peer, link] : rows)
        out.sample({{"peer", peer}, {"link", link.text}, {"kind", link.kind}}, link.usable);
    out.family("natctl_link_held", "gauge", "1: the link works again, and is waited for before it is used.");
    for (const auto& [peer, link] : rows)
        out.sample({{"peer", peer}, {"link", link.text}, {"kind", link.kind}}, link.held);
    out.family("natctl_link_used", "gauge", "1: new flows to the peer go by this link.");
    for (const auto& [peer, link] : rows)
        out.sample({{"peer", peer}, {"link", link.text}, {"kind", link.kind}}, link.used);
}

void write_interfaces(Exposition& out, const View& view) {
    const auto names = interfaces_of(*view.site);
    out.family("natctl_interface_up", "gauge", "1: the interface is there and up, and trusted to stay so.");
    for (const auto& name : names) {
        const auto* interface = view.facts.find(name);
        out.sample({{"interface", name}}, interface != nullptr && interface->up);
    }
    const auto write = [&](const char* metric, const char* help, std::uint64_t InterfaceTraffic::*bytes) {
        out.family(metric, "counter", help);
        for (const auto& name : names)
            if (const auto found = view.traffic.find(name); found != view.traffic.end())
                out.sample({{"interface", name}}, found->second.*bytes);
    };
    write("natctl_interface_receive_bytes_total", "Bytes that the interface received.", &InterfaceTraffic::received);
    write("natctl_interface_transmit_bytes_total", "Bytes that the interface sent.", &InterfaceTraffic::sent);
}

/// Of a site's peers, and of what has no peer. Nothing while the flows cannot be read.
void write_flows(Exposition& out, const View& view) {
    out.family("natctl_flows", "gauge",
               "Open flows, by peer; without one those with hosts of this site under their virtual addresses.");
    if (!view.flows || !view.flows->failure.empty()) return;
    const auto write = [&](const std::string& peer, FlowPath path) {
        const auto& counts = view.flows->flows.counts;
        const auto found = counts.find({peer, path});
        out.sample({{"peer", peer}, {"path", name_of(path)}}, found == counts.end() ? std::uint64_t{0} : found->second);
    };
    for (const auto& peer : view.site->peers)
        for (const auto path : {FlowPath::link, FlowPath::tunnel}) write(peer.name, path);
    for (const auto path : {FlowPath::inside, FlowPath::tunnel}) write("", path);
}

void write_elements(Exposition& out, const View& view) {
    const auto& site = *view.site;
    const auto hosts = static_cast<std::uint64_t>(std::ranges::count_if(site.maps, &Map::is_host));
    out.family("natctl_maps", "gauge", "Maps of virtual to real addresses.");
    out.sample({{"kind", "host"}}, hosts);
    out.sample({{"kind", "prefix"}}, std::uint64_t{site.maps.size()} - hosts);
    out.sample({{"kind", "embedding"}}, std::uint64_t{site.embedding_maps.size()});
    const auto& white = site.white_list;
    out.family("natctl_white_list_entries", "gauge",
               "Entries of the white list as site.toml and `natctl whitelist add` have them.");
    out.sample({{"kind", "prefix"}}, std::uint64_t{white.prefixes.size()});
    out.sample({{"kind", "endpoint"}}, std::uint64_t{white.endpoints.size()});
    out.sample({{"kind", "interface"}}, std::uint64_t{white.interfaces.size()});
    out.sample({{"kind", "run_time"}}, std::uint64_t{view.facts.white_now.size()});
    out.family("natctl_set_elements", "gauge", "Elements that the kernel is to hold, by set of the table inet natctl.");
    for (const auto& [name, size] : view.set_sizes) out.sample({{"set", name}}, size);
}

void write_programs(Exposition& out, const std::vector<Child::State>& programs) {
    out.family("natctl_program_up", "gauge", "1: the program that the agent is to run does run.");
    for (const auto& program : programs) out.sample({{"program", program.name}}, program.process.has_value());
    out.family("natctl_program_restarts_total", "counter", "How often it ended by itself.");
    for (const auto& program : programs) out.sample({{"program", program.name}}, std::uint64_t{program.restarts});
}

void write_names(Exposition& out, const std::vector<NameBook::State>& names) {
    out.family("natctl_name_addresses", "gauge", "Addresses that the name is known to have.");
    for (const auto& name : names) out.sample({{"name", name.name}}, std::uint64_t{name.addresses.size()});
    out.family("natctl_name_resolves", "gauge", "0: it does not resolve now, and keeps the addresses it had.");
    for (const auto& name : names) out.sample({{"name", name.name}}, name.failure.empty());
}

void write_ways(Exposition& out, const std::vector<TunnelReport::Way>& ways) {
    out.family("natctl_tunnel_flows", "gauge", "Open flows, by the way that they go.");
    for (const auto& way : ways) out.sample({{"protocol", way.protocol}, {"way", way.way}}, way.open);
    out.family("natctl_tunnel_flows_ended_total", "counter", "Flows that have ended.");
    for (const auto& way : ways) out.sample({{"protocol", way.protocol}, {"way", way.way}}, way.ended);
    out.family("natctl_tunnel_bytes_total", "counter", "Bytes of flows, without what carries them.");
    for (const auto& way : ways) {
        out.sample({{"protocol", way.protocol}, {"way", way.way}, {"direction", "to_far"}}, way.bytes_to_far);
        out.sample({{"protocol", way.protocol}, {"way", way.way}, {"direction", "to_client"}}, way.bytes_to_client);
    }
}

void write_tunnel(Exposition& out, const std::optional<TunnelReport>& tunnel) {
    out.single("natctl_tunnel_up", "gauge", "1: natctl-tunnel runs and answers.", tunnel.has_value());
    if (!tunnel) return;
    write_ways(out, tunnel->ways);
    out.family("natctl_tunnel_proxy_up", "gauge", "1: the SOCKS5 proxy answers.");
    for (const auto& proxy : tunnel->proxies) out.sample({{"proxy", proxy.server}}, proxy.up);
    out.family("natctl_tunnel_dropped_datagrams_total", "counter", "Datagrams that were not passed on.");
    for (const auto& drop : tunnel->drops) out.sample({{"cause", drop.cause}}, drop.count);
    out.family("natctl_tunnel_failures_total", "counter", "Flows that could not be opened.");
    for (const auto& failure : tunnel->failures)
        out.sample({{"way", failure.way}, {"cause", failure.cause}}, failure.count);
    out.family("natctl_tunnel_limit", "gauge", "What the tunnel has room for, in all of its threads.");
    for (const auto& [name, value] : tunnel->limits) out.sample({{"of", name}}, value);
}

void write_process(Exposition& out, const ProcessFigures& process) {
    out.single("process_cpu_seconds_total", "counter", "Processor time of the agent.", process.processor_seconds);
    out.single("process_resident_memory_bytes", "gauge", "Memory of the agent.", process.resident);
    out.single("process_open_fds", "gauge", "Open file descriptors of the agent.", process.open_files);
    out.single("process_max_fds", "gauge", "How many it may have.", process.most_open_files);
    out.single("process_start_time_seconds", "gauge", "When the agent began, since 1970.", seconds_of(process.began));
}

} // namespace

std::string metrics(const View& view) {
    Exposition out;
    write_agent(out, view);
    write_looks(out, view.looks);
    if (view.site) {
        write_links(out, view);
        write_flows(out, view);
        write_interfaces(out, view);
        write_elements(out, view);
    }
    write_programs(out, view.state.programs);
    write_names(out, view.state.names);
    write_tunnel(out, view.tunnel);
    write_process(out, view.process);
    return out.text();
}

} // namespace natctl
