# SPDX-License-Identifier: GPL-3.0-or-later
find_package(nlohmann_json REQUIRED)
natctl_unit_test(agent_test
  SOURCES
    agent_child_record_test.cpp
    agent_control_socket_test.cpp
    agent_control_test.cpp
    agent_file_watch_test.cpp
    agent_flow_reader_test.cpp
    agent_link_health_test.cpp
    agent_metrics_test.cpp
    agent_name_book_test.cpp
    agent_reconcile_test.cpp
    agent_web_request_test.cpp
    agent_web_server_test.cpp
  LINK natctl_agent nlohmann_json::nlohmann_json)

# In network namespaces of its own, so only for root; exit code 77 otherwise.
natctl_unit_test(agent_live_test
  SOURCES
    agent_live_test.cpp
    kernel_live.cpp
  LINK natctl_agent)
set_tests_properties(agent_live_test PROPERTIES SKIP_RETURN_CODE 77)
