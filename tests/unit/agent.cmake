# SPDX-License-Identifier: GPL-3.0-or-later
find_package(nlohmann_json REQUIRED)
natctl_unit_test(agent_test
  SOURCES
    agent_control_test.cpp
    agent_file_watch_test.cpp
    agent_name_book_test.cpp
    agent_reconcile_test.cpp
  LINK natctl_agent nlohmann_json::nlohmann_json)
