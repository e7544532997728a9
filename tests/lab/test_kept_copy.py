# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from a trial is a copy of what was confirmed: it needs none of the files that the original names."""

import re

from natlab import linked_sites
from natlab.trial import LATER, held


def test_passwords_by_relative_paths_are_found_from_the_copy(lab):
    a, b = linked_sites(lab)
    a.router.secret("b.password", "open sesame\n")
    link = f'{{ socks5 = "{b.wan}:1080", user = "a", password_file = "b.password" }} # "ü"'
    by_interface = a.router.toml.read_text()
    by_socks = re.sub("^link .*$", f"link = {link}", by_interface, flags=re.MULTILINE)
    a.router.apply(by_socks)
    assert f'"{a.router.directory}/b.password" }} # "ü"' in a.router.confirmed_text()
    a.router.run(lab.program("natctl"), "check", a.router.state_dir / "applied.toml")
    former = held(a.router)

    a.router.apply_on_trial(LATER, by_interface)
    assert held(a.router)[:2] != former[:2]
    # The way back needs no password: the kernel holds none.
    (a.router.directory / "b.password").unlink()
    a.router.rollback()
    assert held(a.router) == former


def test_maps_files_come_back_as_they_were(router):
    maps = router.directory / "hosts.map"
    maps.write_text("240.1.1.77 10.10.10.5 files\n")
    router.apply('maps = "hosts.map"\n' + router.toml.read_text())
    former = held(router)
    assert "240.1.1.77" in former[0][0]

    maps.write_text("240.1.1.78 10.10.10.5 files\n")
    router.apply_on_trial(LATER)
    assert "240.1.1.78" in router.show()
    maps.unlink()
    router.rollback()

    assert held(router) == former
    maps.write_text("240.1.1.79 10.10.10.5\n")
    router.apply()
    assert len([file for file in router.state_dir.iterdir() if file.name.startswith("maps-")]) == 1
    router.down()
    assert list(router.state_dir.iterdir()) == []
