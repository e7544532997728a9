// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "nftctl/base/program.h"
#include "nftctl/kernel/session.h"

namespace CLI {
class App;
}

namespace natctl {

/// The command line under construction. Each verb stands in a file of its own and adds itself; the file keeps what its
/// options fill in alive (in the function that it hands over as `run`).
class CommandLine {
public:
    explicit CommandLine(CLI::App& app) : app_(app) {}

    /// A verb with --config, --run-dir, --state-dir and --json, which fill options(). `run` gives the exit code.
    CLI::App& verb(const std::string& name, const std::string& help, const std::string& example,
                   std::function<int()> run);
    /// A verb that takes site.toml also as its only argument: `natctl VERB site.toml`.
    CLI::App& site_verb(const std::string& name, const std::string& help, const std::string& example,
                        std::function<int()> run);

    const Options& options() const { return options_; }
    /// Of the chosen verb; empty before the command line was parsed, or when there was no verb in it.
    const std::function<int()>& chosen() const { return chosen_; }

private:
    CLI::App& add(const std::string& name, const std::string& help, const std::string& example,
                  std::function<int()> run);

    CLI::App& app_;
    Options options_;
    std::function<int()> chosen_;
};

} // namespace natctl
