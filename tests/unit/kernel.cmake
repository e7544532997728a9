# SPDX-License-Identifier: GPL-3.0-or-later
# A kernel in memory, for the tests of all layers above.
add_library(natctl_fake_kernel STATIC
  ${CMAKE_SOURCE_DIR}/tests/support/fake_kernel.cpp
  ${CMAKE_SOURCE_DIR}/tests/support/fake_table.cpp)
target_link_libraries(natctl_fake_kernel PUBLIC natctl_kernel)

natctl_unit_test(kernel_test
  SOURCES
    kernel_fake_test.cpp
    kernel_link_file_test.cpp
    kernel_refusal_test.cpp
    kernel_resolve_test.cpp
    kernel_rule_test.cpp
    kernel_run_time_list_test.cpp
    kernel_sample.cpp
    kernel_set_test.cpp
    kernel_white_words_test.cpp
  LINK natctl_fake_kernel PkgConfig::mnl PkgConfig::nftnl)

# In network namespaces of its own, so only for root; exit code 77 otherwise.
natctl_unit_test(kernel_live_test
  SOURCES
    kernel_live.cpp
    kernel_live_conntrack_test.cpp
    kernel_live_fake_test.cpp
    kernel_live_lifetime_test.cpp
    kernel_live_memory_test.cpp
    kernel_live_random_test.cpp
    kernel_live_route_test.cpp
    kernel_live_table_test.cpp
    kernel_sample.cpp
    random_site.cpp
  LINK natctl_fake_kernel)
set_tests_properties(kernel_live_test PROPERTIES SKIP_RETURN_CODE 77)
