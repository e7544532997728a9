# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev demo: the first thing a newcomer sees of all this."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from natlab import ROOT

DEMO = Path(__file__).with_name("demo.py")


def run(script, *argv, **environment):
    binaries = os.environ.get("NATCTL_BIN", str(ROOT / "build/dev/bin"))
    return subprocess.run(
        [sys.executable, script, *argv],
        env={**os.environ, "NATCTL_BIN": binaries, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("link", ["tunnel", "xray", "veth", pytest.param("wireguard", marks=pytest.mark.slow)])
def test_it_ends_with_who_talked_to_whom(link):
    if link == "wireguard" and not os.path.exists("/dev/net/tun"):
        pytest.skip("wireguard-go needs /dev/net/tun")
    done = run(DEMO, "--link", link)

    assert done.returncode == 0, done.stdout + done.stderr
    saw = "192.168.1.1" if link in ("tunnel", "xray") else "240.1.1.20"
    assert re.search(rf"web page +C +240\.2\.2\.20 +D +{re.escape(saw)} +[0-9.]+ ms", done.stdout), done.stdout
    assert re.search(r"web page +D +240\.1\.1\.20 +C ", done.stdout)
    assert re.search(r"\d+ MB/s, checksums equal", done.stdout)
    assert ("ping" in done.stdout.partition("Who talked to whom")[2].partition("SOCKS5")[0]) == (saw == "240.1.1.20")
    assert "\033" not in done.stdout, "no colour where nobody sees it"
    assert done.stderr == ""


@pytest.mark.slow
def test_it_fails_when_it_does_not_work(tmp_path):
    """With a natctl that does nothing, the page from the other site does not come."""
    idle = tmp_path / "natctl"
    idle.write_text("#!/bin/sh\n")
    idle.chmod(0o755)
    done = run(DEMO, "--link", "veth", NATCTL_BIN=str(tmp_path))
    assert done.returncode != 0
    assert "this did not work" in done.stderr


def test_it_says_what_is_missing(tmp_path):
    done = run(DEMO, NATCTL_BIN=str(tmp_path))
    assert done.returncode != 0 and "build it first" in done.stderr
    assert run(DEMO, "--link", "pigeons").returncode == 2
