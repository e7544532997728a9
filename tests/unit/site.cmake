# SPDX-License-Identifier: GPL-3.0-or-later
natctl_unit_test(site_test
  SOURCES
    site_agent_test.cpp
    site_check_test.cpp
    site_diagnostic_test.cpp
    site_draft_test.cpp
    site_embedding_test.cpp
    site_examples_test.cpp
    site_intercept_test.cpp
    site_load_test.cpp
    site_maps_test.cpp
    site_mistakes_test.cpp
    site_mutation_test.cpp
    site_parse_test.cpp site_probe_test.cpp
    site_values_test.cpp
    site_white_list_test.cpp
    site_xray_test.cpp
  LINK natctl_site)
target_compile_definitions(site_test PRIVATE NATCTL_EXAMPLES="${CMAKE_SOURCE_DIR}/etc/examples")
