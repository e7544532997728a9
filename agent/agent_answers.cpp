// SPDX-License-Identifier: GPL-3.0-or-later
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/change_words.h"
#include "nftctl/base/error.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/find_flows.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/run_time_list.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/kernel/white_words.h"

namespace natctl {

namespace {

std::string refuse_mistakes(const std::string& config) {
    return control::refusal(config + " has mistakes: `natctl check` names them");
}

} // namespace

ControlSocket::Answer Agent::answer(std::string_view line, uid_t user) {
    const auto request = control::parse(line);
    if (const auto* mistake = std::get_if<std::string>(&request)) return {control::refusal(*mistake)};
    const auto& wish = std::get<control::Request>(request);
    if (!wish.config.empty() && user != 0)
        return {control::refusal("only root may have another configuration applied than the agent's")};
    try {
        return {answer(wish, user), wish.what == control::What::watch};
    } catch (const std::exception& error) {
        return {control::refusal(error.what())};
    }
}

std::string Agent::answer(const control::Request& request, uid_t user) {
    const auto& session = options_.session;
    switch (request.what) {
    case control::What::status:
    case control::What::watch: return control::answer(state());
    case control::What::whitelist:
        return request.add.empty() && request.del.empty() ? control::answer(read_run_time_entries(session.run_dir))
                                                          : edit_white_list(request, user);
    case control::What::apply: return answer_apply(request, user);
    case control::What::down: {
        const auto change = forget(session, standing_);
        tell_wish(user, "took down all that is natctl's", change);
        return control::answer(change, true);
    }
    case control::What::plan: return answer_plan();
    case control::What::flows: {
        if (!site_) return control::refusal("there are no flows: nothing is applied, `natctl apply` comes first");
        const FlowSelection selection{
            .peer = request.peer, .host = request.host, .protocol = request.protocol, .port = request.port};
        const auto flows = find_flows(*make_linux_kernel(), LiveFlows(*site_), selection);
        return control::answer(flows, request.limit, std::chrono::system_clock::now());
    }
    case control::What::confirm: {
        confirm(session);
        tell_wish(user, "confirmed the configuration on trial", {});
        return control::done();
    }
    case control::What::rollback: {
        const auto change = roll_back(session, standing_);
        tell_wish(user, "rolled back", change);
        return control::answer(change, true);
    }
    }
    return {};
}

void Agent::tell_wish(uid_t user, const std::string& what, const Transaction& change) {
    const auto text = fmt::format("user {} {}", user, what);
    if (change.empty())
        journal_.say(Weight::info, text);
    else
        tell_applied(text, change);
}

std::string Agent::answer_plan() {
    const auto& session = options_.session;
    const auto site = read_site(session.config);
    if (!site) return refuse_mistakes(session.config);
    return control::answer(pending(*open_kernel(session, *site, standing_), *site), false);
}

std::string Agent::edit_white_list(const control::Request& request, uid_t user) {
    std::vector<WhiteWord> words;
    for (const auto& text : request.add.empty() ? request.del : request.add) {
        words.push_back(white_word(text));
        if (!words.back().prefix && !request.add.empty() && !request.names.contains(text))
            throw std::invalid_argument(text +
                                        " is a name, and looking it up would keep others waiting: "
                                        "`natctl whitelist add " +
                                        text + "`, or add its addresses");
    }
    const auto told = [&](const std::string& name) {
        std::vector<Address> addresses;
        for (const auto& text : request.names.at(name)) {
            const auto address = Address::parse(text);
            if (!address) throw std::invalid_argument(text + " is no address of " + name);
            addresses.push_back(*address);
        }
        return addresses;
    };
    std::optional<std::chrono::nanoseconds> deadline;
    if (request.lifetime) deadline = boot_clock() + *request.lifetime;
    const auto edit = [&](const Site& site, std::vector<RunTimeRecord> now) {
        if (request.add.empty()) return without_deleted(site, std::move(now), words);
        return with_added(std::move(now), spared(site, records_for(words, deadline, told)));
    };
    const auto change = change_run_time_list(options_.session, edit, standing_);
    if (!change)
        return control::refusal("cannot change the white list: nothing is applied, `natctl apply` comes first");
    tell_wish(user,
              request.add.empty() ? fmt::format("took {} off the white list", few_of(request.del))
                                  : fmt::format("put {} on the white list", few_of(request.add)),
              *change);
    return control::answer(*change, true);
}

std::string Agent::answer_apply(const control::Request& request, uid_t user) {
    auto session = options_.session;
    if (!request.config.empty()) session.config = request.config;
    if (::access(session.config.c_str(), R_OK) < 0)
        throw SystemError("read", session.config, errno,
                          "its service shows natctl-agent neither /home nor /tmp: put the file beside site.toml");
    // A trial begins with a fork(2).
    if (request.trial) status_.finish_reading();
    const auto applied =
        request.trial ? apply_on_trial(session, *request.trial, standing_) : apply_file(session, standing_);
    // The rest of what a reload does can wait for its turn. It takes the agent's own file, and for good.
    const bool own = !request.trial && session.config == options_.session.config;
    if (own)
        reconciler_.note(Cause::request, Loop::Clock::now());
    else
        note_applied();
    if (!applied) return refuse_mistakes(session.config);
    const auto trial = request.trial ? fmt::format(" on trial, for {} s", request.trial->count()) : "";
    tell_applied(fmt::format("user {} applied {}{}", user, session.config, trial), applied->change);
    return control::answer(applied->change, applied->warnings, request.trial);
}

control::State Agent::state() {
    const auto now = Loop::Clock::now();
    control::State state{.running = std::chrono::floor<std::chrono::seconds>(now - began_),
                         .site = {},
                         .looks = looks_,
                         .changes = changes_,
                         .repairs = repairs_,
                         .fighting = reconciler_.fighting(),
                         .failure = failure(),
                         .links = links_.states(now),
                         .programs = children_.states(),
                         .names = names_.states(now),
                         .events = journal_.recent(),
                         .http = status_.listeners()};
    if (site_) state.site = site_->name;
    return state;
}

} // namespace natctl
