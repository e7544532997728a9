# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that come with natctl, by what systemd itself says of them; test_services.py has them run."""

import re
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "etc/systemd"
#: firewalld has 7.5 and tailscaled 9.6.
MOST_EXPOSED = 2.0


def exposure(unit):
    """From 0, where a service can do no harm, to 10."""
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True
    )
    (found,) = re.findall(r"Overall exposure level for .*: ([0-9.]+) ", said.stdout)
    return float(found)


@pytest.mark.parametrize("unit", ["natctl-agent.service", "natctl-tunnel.service"])
def test_a_unit_leaves_its_service_little(unit, tmp_path):
    assert exposure(UNITS / unit) <= MOST_EXPOSED
    open_to_all = tmp_path / unit
    open_to_all.write_text("[Service]\nExecStart=/bin/true\n")
    assert exposure(open_to_all) > 9
