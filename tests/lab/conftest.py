# SPDX-License-Identifier: GPL-3.0-or-later
"""What all lab tests share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from natlab import Lab, Socks, linked_sites


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; left out by ./dev test --quick")


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


@pytest.fixture
def sites(lab):
    """a and b, joined by an interface; b is applied."""
    a, b = linked_sites(lab)
    b.router.apply()
    return a, b


@pytest.fixture
def router(sites):
    """Router a of these, with a confirmed state."""
    a, _ = sites
    a.router.apply()
    return a.router


@pytest.fixture(scope="module")
def overlay():
    """a and b, joined by an interface and applied, for all tests of a file: each leaves them as it found them."""
    with Lab() as made:
        a, b = linked_sites(made)
        for site in (a, b):
            site.router.apply()
        yield a, b


@pytest.fixture(scope="module")
def proxied():
    """The same, joined by SOCKS5, with their tunnels running."""
    with Lab() as made:
        a, b = linked_sites(made, Socks)
        for site in (a, b):
            site.router.apply()
            site.router.start_tunnel()
        yield a, b


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the story of the labs that exist at that moment."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and not isinstance(getattr(call.excinfo, "value", None), pytest.skip.Exception):
        for lab in Lab.live:
            report.sections.append((f"lab {lab.name}", lab.report()))
