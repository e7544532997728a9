# SPDX-License-Identifier: GPL-3.0-or-later
natctl_unit_test(agent_test
  SOURCES
    agent_name_book_test.cpp
    agent_reconcile_test.cpp
  LINK natctl_agent)
