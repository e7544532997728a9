// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "agent/children.h"
#include "agent/control.h"
#include "agent/control_socket.h"
#include "agent/file_watch.h"
#include "agent/journal.h"
#include "agent/kernel_events.h"
#include "agent/link_health.h"
#include "agent/link_prober.h"
#include "agent/loop.h"
#include "agent/name_book.h"
#include "agent/reconcile.h"
#include "agent/request.h"
#include "agent/resolver.h"
#include "agent/status_server.h"
#include "agent/tunnel_client.h"
#include "nftctl/base/fd.h"
#include "nftctl/kernel/link_file.h"
#include "nftctl/kernel/routes.h"
#include "nftctl/kernel/upkeep.h"
#include "nftctl/socket/service_manager.h"

namespace natctl {

struct AgentOptions {
    Options session;
    /// site.toml is read when it changes, and not on request alone.
    bool watch_site = true;
    /// How long an address stays on the white list that its name has lost.
    std::chrono::seconds name_grace{60};
    LinkHealth::Limits links = {};
    /// Who may use the control socket beside root; empty: nobody.
    std::string group = {};
};

/// Keeps the kernel as what is applied asks, while facts and other programs change it. All of its state is what it has
/// seen: a new one that takes over finds everything in kernel and files.
class Agent {
public:
    /// Throws SystemError, EWOULDBLOCK when another one works in this run directory.
    explicit Agent(AgentOptions options);

    /// Until SIGTERM or SIGINT. The exit code.
    int run();

private:
    /// Those whose directories were not watched before.
    std::set<std::string> watch_files();
    void take(const std::set<std::string>& files);
    void take_signals();
    void take_files();
    void take(const std::vector<KernelEvent>& events);

    Loop::Clock::time_point links_due() const;
    /// Probes what is due, and takes note of links that fail or may be used again.
    void tend_links();
    void adjust(const Site& site, Facts& facts);
    void tell_failed_links();
    /// Whether a link of what is applied is that route's, which is down from now on.
    bool refuse_links(const RouteRefused& refusal);
    void end_flows(const std::vector<std::string>& peers);
    /// What natctl-tunnel says of proxies; nullopt: it does not answer.
    void take_report(const std::optional<TunnelReport>& report);
    /// Asks for what is due, and takes note of addresses that have come or whose time is over.
    void tend_names();
    void tell_names();
    /// What the endpoints of a site are known to be, which is what is applied; they are followed from now on.
    Endpoints follow_endpoints(const Site& site);
    /// Those of any site. What nothing is known of is looked up, which takes up to two seconds.
    Endpoints look_up_endpoints(const Site& site);
    void remember_endpoints();

    void act(const Reconciler::Step& step);
    ControlSocket::Answer answer(std::string_view line, uid_t user);
    /// Changes are told to those who watch, with whose wish they were.
    std::string answer(const control::Request& request, uid_t user);
    std::string edit_white_list(const control::Request& request, uid_t user);
    /// As `natctl apply` does, on trial or for good.
    std::string answer_apply(const control::Request& request, uid_t user);
    std::string answer_plan();
    void tell_wish(uid_t user, const std::string& what, const Transaction& change);
    control::State state();
    /// What it came to. Throws SystemError.
    Reconciler::Result reload();
    /// What was changed by reading site.toml again; nullopt: it has mistakes.
    std::optional<Transaction> read_again();
    /// `how`: "applied site.toml". Nothing, where nothing changed.
    void tell_applied(const std::string& how, const Transaction& change);
    Reconciler::Result look(const Causes& causes);
    /// Where the kernel does not take a route of a link, without that link. Throws SystemError.
    Upkeep::Look look_at_kernel(bool thorough);
    void tell(const Causes& causes, const Upkeep::Look& look, bool others_did_it);
    /// Tells a failure that is not the last one of its kind.
    void tell_failure(std::string& last, const std::string& what);
    /// What cannot be done at the moment, the weightiest; empty: all is well.
    const std::string& failure() const;
    void tell_manager();
    /// Another configuration was applied, or none is any more, by whomever.
    void note_applied();
    /// Ends what the agent runs.
    void stop_children();

    AgentOptions options_;
    ServiceManager manager_;
    Fd instance_;
    Fd signals_;
    Loop loop_;
    /// Made before what reads the kernel: see nftctl/kernel/link_list.h.
    RouteEvents route_events_;
    TableEvents table_events_;
    FileWatch files_;
    LinkHealth links_;
    LinkProber prober_;
    TunnelClient tunnel_;
    NameBook names_;
    Resolver resolver_;
    /// As all that changes the kernel is given it: one socket, which may own the table.
    Standing standing_;
    Upkeep upkeep_;
    Reconciler reconciler_;
    Journal journal_;
    Children children_;
    ControlSocket control_;
    StatusServer status_;

    std::vector<std::string> maps_files_;
    std::vector<std::string> guard_files_;
    /// site.toml was read again: files that it names may hold something else.
    bool secrets_again_ = false;
    /// What links_ has to tell was taken note of.
    bool links_noted_ = false;
    /// As other programs were told last.
    FailedLinks failed_links_;
    Loop::Clock::time_point ask_tunnel_at_{};
    bool tunnel_asked_ = false;
    unsigned tunnel_silent_ = 0;
    /// Those in names_, in the order of site.toml.
    std::vector<std::string> endpoint_names_;
    /// Of a site that was to be applied, and may be.
    Endpoints looked_up_;
    /// What they stand for, as far as it was taken note of, and what stands in the state directory.
    Endpoints noticed_;
    Endpoints remembered_;
    /// As of the last look.
    std::shared_ptr<const Site> site_;
    Facts facts_;
    /// Said about what happened since the last look, each once.
    std::vector<std::string> heard_;
    std::vector<std::string> authors_;
    /// What cannot be done now, each said once: a look, reading site.toml again, the mirror of the white list, ending
    /// flows of dead links, writing down which links failed and what names stand for.
    std::string failure_;
    std::string reload_failure_;
    std::string mirror_failure_;
    std::string end_failure_;
    std::string links_failure_;
    std::string names_failure_;
    /// What the service manager was told last.
    std::string told_;
    Loop::Clock::time_point began_;
    std::uint64_t looks_ = 0;
    std::uint64_t changes_ = 0;
    std::uint64_t repairs_ = 0;
    bool ended_ = false;
};

} // namespace natctl
