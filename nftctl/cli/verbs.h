// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace natctl {

class CommandLine;

// One file each.
void add_init(CommandLine& line);
void add_check(CommandLine& line);
void add_plan(CommandLine& line);
void add_apply(CommandLine& line);
void add_confirm(CommandLine& line);
void add_rollback(CommandLine& line);
void add_show(CommandLine& line);
void add_status(CommandLine& line);
void add_down(CommandLine& line);
void add_whitelist(CommandLine& line);
void add_doctor(CommandLine& line);
void add_flows(CommandLine& line);
void add_ping(CommandLine& line);
void add_radvd(CommandLine& line);
void add_resolve(CommandLine& line);
void add_trace(CommandLine& line);
void add_watch(CommandLine& line);
void add_xray(CommandLine& line);

/// What `natctl` without a verb does.
int run_status(const CommandLine& line);

} // namespace natctl
