// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/children.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fingerprint.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/xray/configuration.h"
#include "nftctl/xray/read_secrets.h"

namespace natctl {

namespace {

XrayKind kind_of(const std::string& program) {
    return program.substr(program.rfind('/') + 1).starts_with("v2ray") ? XrayKind::v2ray : XrayKind::xray;
}

} // namespace

Children::Children(Loop& loop, const Options& options, Journal& journal)
    : options_(options),
      journal_(journal),
      tunnel_(loop, "natctl-tunnel", options.run_dir, journal, {}),
      xray_(loop, "xray", options.run_dir, journal, {}) {}

void Children::follow(const std::shared_ptr<const Site>& site, bool again) {
    if (site == site_ && followed_ && !again) {
        // Such as a file with a password that was not there yet.
        if (!refusal_.empty()) want_xray();
        return;
    }
    followed_ = true;
    site_ = site;
    if (tunnel_.runs()) tunnel_.send(SIGHUP);
    tunnel_.want(tunnel_command());
    want_xray();
}

void Children::want_xray() {
    try {
        xray_.want(xray_command());
        refusal_.clear();
    } catch (const SystemError& error) {
        const auto refusal = fmt::format("{}; xray stays as it is, and it is tried again", error.what());
        if (refusal != refusal_) journal_.say(Weight::error, refusal);
        refusal_ = refusal;
    }
}

void Children::stop() {
    tunnel_.want({});
    xray_.want({});
}

void Children::tend(Child::Time now) {
    tunnel_.tend(now);
    xray_.tend(now);
}

std::vector<Child::State> Children::states() const {
    std::vector<Child::State> states;
    for (const auto* child : {&tunnel_, &xray_})
        if (auto state = child->state()) states.push_back(std::move(*state));
    return states;
}

Child::Time Children::due() const { return std::min(tunnel_.due(), xray_.due()); }

std::optional<Command> Children::tunnel_command() const {
    if (!site_ || site_->tunnel.run.empty()) return std::nullopt;
    return Command{.words = {site_->tunnel.run, "--config", options_.config, "--run-dir", options_.run_dir,
                             "--state-dir", options_.state_dir},
                   .revision = {}};
}

std::optional<Command> Children::xray_command() const {
    if (!site_ || site_->xray_run.empty() || !uses_xray(*site_)) return std::nullopt;
    const auto json = xray_configuration(*site_, read_xray_secrets(*site_), kind_of(site_->xray_run));
    const auto text = json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    const auto path = options_.run_dir + "/xray.json";
    if (read_text(path) != text) PreparedFile(path, text).publish();
    Fingerprint fingerprint;
    fingerprint.add(text);
    // Understood by Xray, and by v2ray 4.34.
    return Command{.words = {site_->xray_run, "-c", path},
                   .revision = fmt::format("{:02x}", fmt::join(fingerprint.bytes(), ""))};
}

} // namespace natctl
