# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten thousand flows that say nothing, or as many as the limit of open files has room for: two descriptors each.

    C --- [router a: natctl-tunnel] === SOCKS5 over the WAN === [router b: natctl-tunnel] --- D
"""

import contextlib
import json
import resource
import subprocess

import pytest

from natlab import Lab, build_sites, configure, eventually
from natlab.links import Socks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("idle-flows")]

ECHO = 9200
#: For the programs' other descriptors, and for what waits at b for the next flows of a.
BESIDE = 100
FLOWS = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - BESIDE)


@contextlib.contextmanager
def held(a, b, count):
    """So many flows, each of which has said and heard a byte."""
    program = str(a.host.lab.program("natctl-bench-load"))
    with a.host.inside():
        process = subprocess.Popen(
            [program, "hold", f"{b.virtual(20)}:{ECHO}", str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        assert process.stdout.readline() == "ready\n"
        yield
        process.stdin.close()


def open_flows(site):
    """TCP flows that the tunnel's status counts as open."""
    ways = json.loads(site.router.natctl("status", "--json").stdout)["tunnel"]["tcp"]
    return sum(way["open"] for way in ways)


def test_as_many_as_there_are_descriptors_for():
    """One thread: several share the limit equally, and the kernel does not share the flows so."""
    with Lab() as lab:
        sites = a, b = build_sites(lab)
        configure(sites, Socks(lab, sites))
        for site in sites:
            toml = site.router.toml
            toml.write_text(toml.read_text() + f"\n[tunnel]\nflows = {FLOWS + 40}\n")
            site.router.apply()
            site.router.start_tunnel(options=["--threads", 1])
        b.host.start("echo", lab.program("natctl-bench-load"), "echo", ECHO, 1)
        eventually(lambda: b.host.listens(ECHO))
        before = a.router.tunnel.open_files()
        with held(a, b, FLOWS):
            assert a.router.tunnel.open_files() >= 2 * FLOWS
            assert [open_flows(site) for site in sites] == [FLOWS, FLOWS]
            # There is room for one more, and for UDP.
            assert a.host.greeting(b.virtual(20)).host == b.host.label
            assert a.host.udp_greeting(b.virtual(20)).host == b.host.label
        eventually(lambda: a.router.tunnel.open_files() < before + BESIDE, what="what the flows had is free again")
        assert a.host.greeting(b.virtual(20)).host == b.host.label
        assert [site.router.tunnel.stop() for site in sites] == [0, 0]
