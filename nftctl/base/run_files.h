// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace natctl::run_files {

// Names in RUN_DIR by which programs of ours find one another.

/// Locked (flock(2)) while natctl-agent runs.
inline constexpr const char* agent_lock = "natctl-agent.lock";
/// Its control socket.
inline constexpr const char* agent_socket = "natctl-agent.sock";
/// What natctl-agent has found of the links (nftctl/kernel/link_file.h). Means nothing while it does not run.
inline constexpr const char* links_out_of_use = "links_out_of_use";
/// There while natctl-tunnel is ready; its content is the process id.
inline constexpr const char* tunnel_ready = "natctl-tunnel.ready";
/// Where natctl-tunnel tells its status.
inline constexpr const char* tunnel_status = "natctl-tunnel.sock";

} // namespace natctl::run_files
