# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl as scripts and people meet it: exit codes, what goes to which stream, messages."""

import json
import re

import pytest

from natlab import Veth, build_sites, configure

VERBS = (
    *("init", "check", "plan", "apply", "confirm", "rollback", "show", "status", "down"),
    *("flows", "ping", "radvd", "resolve", "trace"),
)
DONE, FAILED, USAGE, PENDING = 0, 1, 2, 3


@pytest.fixture
def router(lab):
    a, b = build_sites(lab)
    configure([a, b], Veth(lab, [a, b], ipv6=False))
    return a.router


def natctl(router, *argv):
    return router.run(router.lab.program("natctl"), *argv, check=False)


def test_help_and_version(router):
    for argv in (["--help"], *([verb, "--help"] for verb in VERBS)):
        result = natctl(router, *argv)
        assert result.code == DONE and result.stdout and not result.stderr, str(result)
    overview = natctl(router, "--help").stdout
    assert all(verb in overview for verb in VERBS)
    assert re.search(r"\d+\.\d+\.\d+", natctl(router, "--version").stdout)
    for program in ("natctl-agent", "natctl-tunnel"):
        result = router.run(router.lab.program(program), "--help", check=False)
        assert result.code == DONE and "--config" in result.stdout


@pytest.mark.parametrize("argv", [["aply"], ["apply", "--no-such-option"], ["apply", "one.toml", "two.toml"]])
def test_wrong_usage(router, argv):
    result = natctl(router, *argv)
    assert result.code == USAGE and result.stderr.startswith("natctl: "), str(result)
    assert "natctl" not in router.ruleset()


@pytest.mark.parametrize("program", ["natctl-agent", "natctl-tunnel"])
def test_wrong_usage_of_a_service(router, program):
    result = router.run(router.lab.program(program), "--no-such-option", check=False)
    assert result.code == USAGE and result.stderr.startswith(f"{program}: "), str(result)


def test_without_a_verb_it_says_how_things_stand(router):
    bare, status = natctl(router), natctl(router, "status")
    assert (bare.code, bare.stdout, bare.stderr) == (status.code, status.stdout, status.stderr)


def test_success_is_quiet(router):
    for verb in ("apply", "apply", "plan", "down", "down"):
        result = router.natctl(verb)
        assert result.stdout == "", str(result)
    assert "error" not in router.natctl("check").stderr


def test_plan_says_what_would_change_and_ends_with_3(router):
    result = router.natctl("plan", check=False)
    assert result.code == PENDING
    assert "table inet natctl" in result.stdout and "240.2.2.0/24" in result.stdout
    router.apply()
    assert router.natctl("plan").stdout == ""

    router.configure(router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24"))
    difference = router.natctl("plan", check=False)
    assert difference.code == PENDING
    assert "240.4.4.0/24" in difference.stdout and "240.2.2.0/24" in difference.stdout
    assert "chain guard" not in difference.stdout, "what stays is not in the plan"


def test_mistakes_are_reported_with_place_line_cause_and_remedy(router):
    """All of them in one run, and every verb that reads the file says the same."""
    router.configure(
        'site = "a"\n'
        'lan  = "lan0"\n'
        "[[map]]\n"
        'virtual = "240.1.1.0/24"\n'
        'real    = "192.168.1.0/25"\n'
        "[[peer]]\n"
        'nmae    = "b"\n'
        'virtual = "240.2.2.0/33"\n'
        'link    = { dev = "ov0" }\n'
    )
    for verb in ("check", "plan", "apply"):
        result = router.natctl(verb, check=False)
        assert result.code == FAILED
        places = re.findall(r"^(.*site\.toml):(\d+):(\d+): error: ", result.stderr, re.MULTILINE)
        assert {int(line) for _, line, _ in places} >= {5, 7, 8}, result.stderr
        assert 'virtual = "240.2.2.0/33"' in result.stderr, "the line itself is shown"
        assert "did you mean" in result.stderr or '"name"' in result.stderr, "the nearest known key is named"
        assert "help: " in result.stderr
    assert "natctl" not in router.ruleset()


def test_a_missing_file_and_a_missing_interface(router):
    good = router.toml.read_text()
    router.toml.unlink()
    result = router.natctl("apply", check=False)
    assert result.code == FAILED and "site.toml" in result.stderr

    router.configure(good.replace('"lan1"', '"lan7"'))
    result = router.natctl("apply", check=False)
    assert "lan7" in result.stderr, "said, whether it is refused or done without"


def test_status_names_the_site_and_its_peers(router):
    before = router.natctl("status", check=False)
    router.apply()
    after = router.natctl("status")
    assert before.stdout != after.stdout
    for word in ("a", "b", "ov0", "240.2.2.0/24"):
        assert word in after.stdout


@pytest.mark.parametrize("verb", ["check", "status"])
def test_json_is_for_programs(router, verb):
    router.apply()
    result = router.natctl(verb, "--json")
    assert isinstance(json.loads(result.stdout), (dict, list))


def test_without_rights_nothing_happens_and_the_message_says_why(router):
    result = router.run(
        *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"),
        *(router.lab.program("natctl"), "apply", "/dev/stdin"),
        text=router.toml.read_text(),
        check=False,
    )
    assert result.code == FAILED
    assert re.search(r"not permitted|permission|root|CAP_NET_ADMIN", result.stderr, re.IGNORECASE), str(result)
    assert "natctl" not in router.ruleset()


def test_show_is_empty_where_nothing_is_applied(router):
    assert router.show().strip() == ""
    router.apply()
    assert router.show().startswith("table inet natctl") or "table inet natctl {" in router.show()
