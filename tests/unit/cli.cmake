# SPDX-License-Identifier: GPL-3.0-or-later
find_package(nlohmann_json REQUIRED)
natctl_unit_test(cli_test
  SOURCES cli_flow_text_test.cpp
  LINK natctl_cli nlohmann_json::nlohmann_json)
