# SPDX-License-Identifier: GPL-3.0-or-later
"""What all lab tests share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from natlab import Lab


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; left out by ./dev test --quick")


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the story of the labs that exist at that moment."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and not isinstance(getattr(call.excinfo, "value", None), pytest.skip.Exception):
        for lab in Lab.live:
            report.sections.append((f"lab {lab.name}", lab.report()))
