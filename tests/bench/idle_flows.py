# SPDX-License-Identifier: GPL-3.0-or-later
"""idle: resident memory of programs for each flow that is open and silent: natctl-tunnel and v2ray.

Flows from host C of site a to host D of site b, opened a hundred at a time, each of which has said and heard a
byte. What the kernel needs for their sockets is not in it. As many as the limit of open files has room for, two for
each, up to 10,000. natctl-tunnel has one thread here, as threads share their limit of flows equally and the kernel
does not share flows so among them.
"""

import resource
import subprocess

from figures import in_turn, progress, spread, table
from natlab import Lab, build_sites
from ways import NatctlTunnel, V2ray, resident_bytes, running, server, without_scarcity

RUNS = 3
PORT = 9200
SIDES = ("near", "far")


def most_flows():
    """Each takes two descriptors; a few are for all else."""
    return min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100)


class WithRoom(NatctlTunnel):
    """natctl-tunnel that may have so many flows."""

    def __init__(self, lab, sites, flows):
        super().__init__(lab, sites)
        # At b, what waits for the next flows of a is a flow as well.
        self._flows = flows + 40

    def start(self, a, b):
        for site in (a, b):
            toml = site.router.toml
            toml.write_text(toml.read_text() + f"\n[tunnel]\nflows = {self._flows}\n")
        return [site.router.start_tunnel(options=["--threads", 1]) for site in (a, b)]


def add_options(parser):
    parser.add_argument("--idle-flows", type=int, default=most_flows(), help="open at once (%(default)s)")


def shrink(options):
    options.idle_flows = 500


def wrong(options):
    return None if 100 < options.idle_flows <= 40000 else "--idle-flows wants a number from 101 to 40000"


def measure(options, binaries):
    with Lab(binaries) as lab:
        sites = a, b = build_sites(lab)
        without_scarcity([a.host, a.router, b.router, b.host])
        server(b.host, "echo", PORT, 1)
        kinds = [WithRoom(lab, sites, options.idle_flows), V2ray(lab, sites)]
        results = {kind.name: {side: [] for side in SIDES} for kind in kinds}
        for number in range(options.runs):
            for kind in in_turn(kinds, number):
                progress(f"idle, run {number + 1} of {options.runs}: {kind.name} ...")
                with running(kind, sites) as programs:
                    for side, size in zip(SIDES, per_flow(a, b, programs, options.idle_flows)):
                        results[kind.name][side].append(size)
    return {
        "runs": options.runs,
        "flows": options.idle_flows,
        "bytes_per_flow": {
            name: {side: spread(values) for side, values in sides.items()} for name, sides in results.items()
        },
    }


def per_flow(a, b, programs, count):
    # What comes with the first hundred comes once.
    some = 100
    with held(a, b, some):
        before = [resident_bytes(program) for program in programs]
    with held(a, b, count):
        after = [resident_bytes(program) for program in programs]
    return [(late - early) / (count - some) for early, late in zip(before, after)]


class held:
    """Flows that stay open and silent."""

    def __init__(self, a, b, count):
        program = str(a.host.lab.program("natctl-bench-load"))
        with a.host.inside():
            self._process = subprocess.Popen(
                [program, "hold", f"{b.virtual(20)}:{PORT}", str(count)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

    def __enter__(self):
        said = self._process.stdout.readline()
        assert said == "ready\n", f"natctl-bench-load ended with {self._process.wait()}"

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def text(figures):
    rows = []
    for name, sides in figures["bytes_per_flow"].items():
        cells = []
        for side in SIDES:
            size = sides[side]
            cells += [f"{size['median']:.0f}", f"{size['min']:.0f}..{size['max']:.0f}"]
        rows.append([name, *cells])
    heads = ["bytes a flow at a", "min..max", "at b", "min..max"]
    return table(f"{figures['flows']} idle flows; medians of {figures['runs']} runs", heads, rows)
