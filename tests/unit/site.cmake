# SPDX-License-Identifier: GPL-3.0-or-later
natctl_unit_test(site_test
  SOURCES
    site_check_test.cpp
    site_mistakes_test.cpp
    site_parse_test.cpp
    site_values_test.cpp
  LINK natctl_site)
