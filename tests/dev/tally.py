#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""tally.py STATUS REPORT...: sums JUnit reports and prints "PASSED FAILED SKIPPED".

STATUS is the exit status of what wrote them. A doctest program counts by its test cases, not as one test. Without
reports STATUS alone decides; a bad STATUS without a failed test (a crash, a timeout, nothing built) is one failure.
"""

import os
import re
import sys
import xml.etree.ElementTree as xml

DOCTEST = re.compile(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")


def count_case(case):
    """(passed, failed, skipped) of one <testcase>."""
    failed = case.find("failure") is not None or case.find("error") is not None
    if case.find("skipped") is not None:
        return 0, 0, 1
    doctest = DOCTEST.search(case.findtext("system-out") or "")
    if doctest:
        return int(doctest[1]), max(int(doctest[2]), int(failed)), 0
    return int(not failed), int(failed), 0


def tally(status, reports):
    existing = [name for name in reports if os.path.exists(name)]
    counts = []
    for name in existing:
        try:
            counts += [count_case(case) for case in xml.parse(name).iter("testcase")]
        except xml.ParseError:  # cut short: whatever wrote it died
            counts.append((0, 1, 0))
    passed, failed, skipped = (sum(column) for column in zip(*counts)) if counts else (0, 0, 0)
    if status != 0:
        failed = max(failed, 1)
    elif not existing:
        passed = 1
    return passed, failed, skipped


if __name__ == "__main__":
    print(*tally(int(sys.argv[1]), sys.argv[2:]))
