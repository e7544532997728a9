# SPDX-License-Identifier: GPL-3.0-or-later
natctl_fuzz_target(agent_request SOURCES agent_request_fuzz.cpp LINK natctl_agent_request)
natctl_fuzz_target(agent_web SOURCES agent_web_fuzz.cpp LINK natctl_agent_web)
