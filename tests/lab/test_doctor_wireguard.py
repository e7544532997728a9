# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: what WireGuard lets through."""

import json
import os

import pytest

from natlab import WireGuardMesh, build_sites, configure


@pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="wireguard-go needs /dev/net/tun")
def test_what_wireguard_lets_through(lab):
    a, b = build_sites(lab)
    mesh = WireGuardMesh(lab, [a, b])
    configure([a, b], mesh)
    a.router.apply()
    # The control socket lies in a mount namespace of its own.
    mounts = f"--mount=/proc/{mesh.ends['a']._program.pid}/ns/mnt"

    def allowed():
        result = a.router.run(
            "nsenter", mounts, lab.program("natctl"), "doctor", a.router.toml, "--json", *a.router._places, check=False
        )
        return [finding for finding in json.loads(result.stdout)["findings"] if finding["check"] == "wireguard"]

    assert allowed() == []
    mesh.ends["a"].add_peer(mesh.ends["b"], b.wan, [b.prefix])
    [said] = allowed()
    assert b.second_prefix in said["what"] and b.prefix6 in said["what"] and b.prefix not in said["what"]
    a.router.run("nsenter", mounts, "sh", "-c", said["command"])
    assert allowed() == []
