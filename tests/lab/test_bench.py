# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench: that it measures all it promises. What the figures are is no matter of tests."""

import json
import os
import subprocess
import sys

import pytest

from natlab import ROOT, Lab

BENCH = ROOT / "tests/bench/run.py"
#: A difference of two times, which may well be negative where both are short.
MAY_BE_NEGATIVE = {("conntrack", "milliseconds", "natctl")}
#: No program of ours takes part; the kernel's clock ticks are too far apart; nothing is sent.
MAY_BE_ZERO = {
    "cpu_seconds_per_gigabyte",
    "cpu_seconds_per_100k",
    "cpu_seconds_per_10k",
    "loss",
    "system_milliseconds",
    "commit_milliseconds",
}


def bench(*argv):
    binaries = os.environ.get("NATCTL_BIN", str(ROOT / "build/dev/bin"))
    return subprocess.run(
        [sys.executable, BENCH, *argv],
        env={**os.environ, "NATCTL_BIN": binaries},
        capture_output=True,
        text=True,
        timeout=120,
    )


def spreads(figures, path=()):
    """All (path, spread) of a part's figures."""
    if isinstance(figures, dict) and "median" in figures:
        yield path, figures
    elif isinstance(figures, (dict, list)):
        items = figures.items() if isinstance(figures, dict) else enumerate(figures)
        for key, value in items:
            yield from spreads(value, (*path, key))


@pytest.mark.parametrize(
    "part, count",
    [
        pytest.param("tunnel", 16, marks=pytest.mark.slow),
        pytest.param("udp", 12, marks=pytest.mark.slow),
        pytest.param("socks", 16, marks=pytest.mark.slow),
        pytest.param("http", 9, marks=pytest.mark.slow),
        pytest.param("flows", 9, marks=pytest.mark.slow),
        pytest.param("idle", 4, marks=pytest.mark.slow),
        pytest.param("agent", 5, marks=pytest.mark.slow),
        ("conntrack", 4),
        ("maps", 48),
        ("packets", 10),
    ],
)
def test_every_part_measures_all_it_promises(tmp_path, part, count):
    done = bench(part, "--smoke", "--json", str(tmp_path / "bench.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    figures = json.loads((tmp_path / "bench.json").read_text())
    assert figures["version"].startswith("natctl ") and figures["machine"]["cores"] >= 1
    assert set(figures) == {"version", "machine", part}
    found = list(spreads(figures[part], (part,)))
    assert len(found) == count, [path for path, _ in found]
    for path, spread in found:
        # The agent's figures are of many events of one run.
        assert len(spread["all"]) == 1 or part == "agent", path
        if path in MAY_BE_NEGATIVE:
            continue
        assert spread["median"] > 0 or (path[-1] in MAY_BE_ZERO and spread["median"] == 0), path


def test_it_measures_the_release_only(tmp_path):
    with Lab() as lab:
        if not lab.built_with("address"):
            pytest.skip("these programs carry no sanitizer")
    done = bench("--runs", "1", "--seconds", "1", "--json", str(tmp_path / "bench.json"))
    assert done.returncode != 0 and "./dev build release" in done.stderr


def test_it_refuses_what_it_does_not_know():
    done = bench("pigeons")
    assert done.returncode == 2 and "unknown part 'pigeons'" in done.stderr
    assert bench("--runs", "0").returncode == 2
