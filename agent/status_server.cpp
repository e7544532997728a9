// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/status_server.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "agent/metrics.h"
#include "agent/page/page.h"
#include "agent/status_json.h"
#include "nftctl/kernel/find_flows.h"
#include "nftctl/kernel/linux_kernel.h"

namespace natctl {

namespace {

/// Of the page; `natctl flows` lists all.
constexpr std::size_t most_flows = 50;

constexpr std::string_view plain = "text/plain; charset=utf-8";

struct PageFile {
    std::string_view path;
    std::string_view type;
    std::string_view content;
};

const PageFile* find_file(std::string_view path) {
    constexpr std::string_view script = "text/javascript; charset=utf-8";
    static const std::array<PageFile, 9> files{{{"/", "text/html; charset=utf-8", page::index_html},
                                                {"/page.css", "text/css; charset=utf-8", page::page_css},
                                                {"/page.js", script, page::page_js},
                                                {"/dom.js", script, page::dom_js},
                                                {"/flows.js", script, page::flows_js},
                                                {"/meters.js", script, page::meters_js},
                                                {"/picture.js", script, page::picture_js},
                                                {"/words.js", script, page::words_js},
                                                {"/icon.svg", "image/svg+xml", page::icon_svg}}};
    const auto* found = std::ranges::find(files, path, &PageFile::path);
    return found == files.end() ? nullptr : found;
}

} // namespace

StatusServer::StatusServer(Loop& loop, const Options& options, const std::string& group, Journal& journal,
                           TunnelClient& tunnel, Sources sources)
    : state_dir_(options.state_dir),
      journal_(journal),
      sources_(std::move(sources)),
      tunnel_(tunnel),
      flows_(loop, [](const LiveFlows& flows) { return summarize_flows(*make_linux_kernel(), flows, most_flows); }),
      server_(loop, {}, [this](const web::Request& request, const WebServer::Reply& reply) { answer(request, reply); }),
      listeners_(loop, group, [this](Fd socket) { server_.take(std::move(socket)); }) {}

void StatusServer::follow(const std::shared_ptr<const Site>& site) {
    const AgentSettings nothing;
    const auto& wanted = site != nullptr ? site->agent : nothing;
    page_ = wanted.page;
    listeners_.set(wanted.http);
    flows_.follow(site);
    tell();
}

void StatusServer::looked(Loop::Clock::duration took, bool failed) {
    looks_.add(std::chrono::duration<double>(took).count(), failed, std::chrono::system_clock::now());
}

StatusServer::Time StatusServer::due() const { return std::min(server_.due(), listeners_.due()); }

void StatusServer::tend(Time now) {
    server_.tend(now);
    listeners_.tend(now);
    tell();
}

void StatusServer::tell() {
    for (const auto& [warning, text] : listeners_.messages())
        journal_.say(warning ? Weight::warning : Weight::info, text);
}

void StatusServer::answer(const web::Request& request, const WebServer::Reply& reply) {
    if (request.path == "/metrics") {
        look([this, reply](View& view) {
            view.set_sizes = sources_.set_sizes();
            reply({.type = metrics_type, .content = metrics(view)});
        });
    } else if (page_ && request.path == "/status.json") {
        look([reply](const View& view) { reply({.type = "application/json", .content = status_json(view)}); });
    } else if (const auto* file = page_ ? find_file(request.path) : nullptr; file != nullptr) {
        reply({.type = file->type, .content = std::string(file->content)});
    } else {
        reply({404, plain,
               page_ ? "404: here are / and /metrics\n"
                     : "404: here is /metrics; a page needs page = true under [agent]\n"});
    }
}

void StatusServer::look(OnView on_view) {
    flows_.ask([this, on_view = std::move(on_view)](const auto& flows) {
        tunnel_.ask([this, on_view, flows](const auto& tunnel) {
            auto shown = view(tunnel);
            if (flows && flows->site == shown.site) shown.flows = flows;
            on_view(shown);
        });
    });
}

View StatusServer::view(const std::optional<TunnelReport>& tunnel) const {
    View view{.state = {},
              .looks = looks_,
              .tunnel = tunnel,
              .traffic = read_interface_traffic(),
              .process = read_process_figures(began_)};
    sources_.fill_in(view);
    if (const auto trial = read_trial(StatePaths(state_dir_))) view.trial = state_of(*trial, boot_clock(), boot_id());
    return view;
}

} // namespace natctl
