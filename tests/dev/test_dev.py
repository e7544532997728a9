# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev itself, and what counts its tests."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERBS = ["deps", "build", "demo", "test", "bench", "lint", "soak", "fuzz", "package"]


def dev(*arguments):
    return subprocess.run([ROOT / "dev", *arguments], cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_help_names_every_verb():
    result = dev("--help")
    assert result.returncode == 0
    assert re.findall(r"^  (\w+) ", result.stdout, re.MULTILINE) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb):
    result = dev(verb, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith("usage: ") and f"./dev {verb}" in result.stdout.splitlines()[0]
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        *(["frobnicate"], [], ["build", "fast"], ["build", "dev", "tsan"], ["deps", "nothing"]),
        *(["fuzz", "--seconds", "x"], ["soak", "--seconds", "x"], ["soak", "5"]),
    ],
)
def test_wrong_usage_exits_with_2_and_says_where_to_look(arguments):
    result = dev(*arguments)
    assert result.returncode == 2
    assert "--help" in result.stderr
    assert result.stdout == ""


def test_deps_is_silent_where_there_is_nothing_to_do():
    assert dev("deps", "build").returncode == 0
    again = dev("deps", "build")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def tally(tmp_path, status, *reports):
    names = []
    for number, text in enumerate(reports):
        names.append(tmp_path / f"{number}.xml")
        names[-1].write_text(text)
    command = ["/usr/bin/python3", ROOT / "tests/dev/tally.py", str(status), *names]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


PYTEST = """<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase>
<testcase name="c"><skipped/></testcase><testcase name="d"><error/></testcase></testsuite></testsuites>"""
CTEST = """<testsuite><testcase name="x_test"><system-out>
[doctest] test cases:  12 |  11 passed | 1 failed | 0 skipped
</system-out><failure/></testcase><testcase name="layers"><system-out/></testcase></testsuite>"""
CRASHED = '<testsuite><testcase name="x_test"><failure/><system-out>no summary</system-out></testcase></testsuite>'


def test_tally(tmp_path):
    assert tally(tmp_path, 1, PYTEST) == "1 2 1"
    assert tally(tmp_path, 1, CTEST) == "12 1 0"
    assert tally(tmp_path, 1, CRASHED) == "0 1 0"
    assert tally(tmp_path, 1, CTEST, PYTEST) == "13 3 1"


def test_tally_of_stages_without_failed_tests(tmp_path):
    assert tally(tmp_path, 0) == "1 0 0"
    assert tally(tmp_path, 2) == "0 1 0"
    assert tally(tmp_path, 2, "<testsuite><testcase name='a'/></testsuite>") == "1 1 0"
    assert tally(tmp_path, 0, "<testsuite><testcase name='a'/>") == "0 1 0"


@pytest.mark.parametrize(
    "lint, test, last, status",
    [
        ("echo 7 passed, 0 failed", "echo 30 passed, 0 failed", "37 passed, 0 failed", 0),
        ("echo 6 passed, 1 failed; exit 1", "echo 30 passed, 0 failed", "36 passed, 1 failed", 1),
        ("echo 7 passed, 0 failed; exit 1", "echo 30 passed, 0 failed", "37 passed, 1 failed", 1),
        ("echo 7 passed, 0 failed", "echo broken; exit 1", "7 passed, 1 failed", 1),
        ("echo 7 passed, 0 failed", "exit 0", "7 passed, 1 failed", 1),
    ],
)
def test_what_ci_sums_up(tmp_path, lint, test, last, status):
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    fake = tmp_path / "dev"
    fake.write_text(f"#!/bin/bash\ncase $1 in lint) {lint} ;; test) {test} ;; esac\n")
    fake.chmod(0o755)
    result = subprocess.run(["bash", ".ci/run"], cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.stdout.splitlines()[-1] == last
    assert result.returncode == status
