// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/child.h"
#include "agent/journal.h"
#include "agent/loop.h"
#include "nftctl/kernel/session.h"
#include "nftctl/site/site.h"

namespace natctl {

/// The programs that site.toml wants the agent to run: natctl-tunnel, and Xray with the configuration that `natctl
/// xray` prints.
class Children {
public:
    Children(Loop& loop, const Options& options, Journal& journal);

    /// What is applied now; nullptr: nothing. Xray starts anew when its configuration is another one, and
    /// natctl-tunnel reads its own again.
    /// `again`: also when it is the same, as the files that it names may hold something else.
    void follow(const std::shared_ptr<const Site>& site, bool again);
    /// Asks them to end; they have when runs() says so, if tend() is called.
    void stop();

    void tend(Child::Time now);
    Child::Time due() const;
    bool runs() const { return tunnel_.runs() || xray_.runs(); }

    /// Those that site.toml names.
    std::vector<Child::State> states() const;

private:
    /// What was refused is tried again by the next follow().
    void want_xray();
    std::optional<Command> tunnel_command() const;
    /// Writes its configuration. Throws SystemError.
    std::optional<Command> xray_command() const;

    Options options_;
    Journal& journal_;
    std::shared_ptr<const Site> site_;
    /// Until then what another agent ran runs on.
    bool followed_ = false;
    Child tunnel_;
    Child xray_;
    /// Why there is no configuration for Xray; empty: there is, or none is needed.
    std::string refusal_;
};

} // namespace natctl
