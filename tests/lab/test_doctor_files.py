# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: its own files, and what they say."""

import pytest

from natlab.doctor import Fault, try_out

pytestmark = pytest.mark.xdist_group("doctor-files")

FAULTS = [
    Fault(
        "site.toml open to all",
        "configuration-file",
        ["site.toml"],
        [lambda a, _: a.router.toml.chmod(0o666)],
    ),
    Fault(
        "state open to all",
        "directories",
        ["state"],
        [lambda a, _: a.router.state_dir.chmod(0o777)],
    ),
    Fault(
        "a file in the place of a directory",
        "directories",
        ["run", "no directory"],
        [
            lambda a, _: a.router.run_dir.rename(a.router.directory / "former"),
            lambda a, _: a.router.run_dir.touch(),
        ],
    ),
    Fault(
        "a mistake in site.toml",
        "configuration",
        ["line 2", "lan"],
        [lambda a, _: a.router.configure(a.router.toml.read_text().replace("lan  =", "lann ="))],
        command=False,
        by_hand=[lambda a, _: a.router.configure(a.router.toml.read_text().replace("lann =", "lan  ="))],
    ),
    Fault(
        "a name that does not resolve",
        "names",
        ["nobody.invalid"],
        [
            lambda a, _: a.router.apply(
                a.router.toml.read_text() + '\n[white_list]\nendpoints = ["nobody.invalid"]\n'
            )
        ],
        command=False,
        by_hand=[lambda a, _: a.router.apply(a.router.toml.read_text().partition("\n[white_list]")[0])],
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_file(overlay, fault):
    try_out(overlay, fault)
