# SPDX-License-Identifier: GPL-3.0-or-later
# In network namespaces of its own, so only for root; exit code 77 otherwise.
natctl_unit_test(kernel_live_test
  SOURCES
    kernel_live.cpp
    kernel_live_route_test.cpp
    kernel_live_table_test.cpp
    kernel_sample.cpp
  LINK natctl_kernel)
set_tests_properties(kernel_live_test PROPERTIES SKIP_RETURN_CODE 77)
