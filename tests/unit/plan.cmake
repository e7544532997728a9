# SPDX-License-Identifier: GPL-3.0-or-later
natctl_unit_test(plan_test
  SOURCES plan_addressing_test.cpp plan_advertisement_test.cpp plan_apply_test.cpp plan_compiler_test.cpp
    plan_element_test.cpp plan_elements_test.cpp plan_flow_tally_test.cpp
    plan_links_test.cpp plan_live_flow_test.cpp plan_ranges_test.cpp plan_render_test.cpp plan_routes_test.cpp
    plan_stale_addresses_test.cpp plan_stale_test.cpp
    plan_timed_ranges_test.cpp plan_trace_broken_test.cpp plan_trace_test.cpp plan_white_list_test.cpp
    plan_whose_test.cpp random_site.cpp random_site_test.cpp trace_sample.cpp
  LINK natctl_plan natctl_kernel natctl_fake_kernel)
