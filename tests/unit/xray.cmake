# SPDX-License-Identifier: GPL-3.0-or-later
natctl_unit_test(xray_test
  SOURCES xray_configuration_test.cpp
  LINK natctl_xray)
