# SPDX-License-Identifier: GPL-3.0-or-later
natctl_unit_test(doctor_test
  SOURCES doctor_checks_test.cpp doctor_firewall_test.cpp doctor_foreign_test.cpp doctor_sample.cpp
  LINK natctl_doctor)
