# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: it finds nothing in a healthy site and changes nothing, and people can work with what it says.

Which faults it finds: test_doctor_*.py.
"""

import json

import pytest

from natlab.doctor import FAILED, serious

pytestmark = pytest.mark.xdist_group("doctor")

SECONDS = 2


def test_a_healthy_site_is_healthy_and_stays_as_it_is(overlay):
    router = overlay[0].router
    before = router.nft_generation(), router.ruleset(), router.policy()
    result = router.natctl("doctor", "--json", "--all")
    answer = json.loads(result.stdout)
    assert answer["checks"] >= 25 and serious(answer["findings"]) == [], str(result)
    assert result.seconds < SECONDS, f"{result.seconds} s"
    assert before == (router.nft_generation(), router.ruleset(), router.policy())


def test_people_see_errors_first_and_commands(overlay):
    router = overlay[0].router
    router.sysctl(net__ipv4__ip_forward=0)
    result = router.natctl("doctor", check=False)
    router.sysctl(net__ipv4__ip_forward=1)
    lines = result.stdout.splitlines()
    assert result.code == FAILED and lines[0].startswith("error") and "forwarding4" in lines[0]
    assert any(line.strip() == "run:  sysctl -w net.ipv4.ip_forward=1" for line in lines)
    assert not any(line.startswith("ok") for line in lines)
    assert any(line.startswith("ok") for line in router.natctl("doctor", "--all").stdout.splitlines())


def test_without_a_site_the_machine_is_looked_at(overlay):
    router = overlay[0].router
    result = router.run(router.lab.program("natctl"), "doctor", "/nowhere/site.toml", "--json", check=False)
    answer = json.loads(result.stdout)
    assert result.code == FAILED
    assert [finding["check"] for finding in serious(answer["findings"])] == ["configuration"]
