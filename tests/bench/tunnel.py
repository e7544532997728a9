# SPDX-License-Identifier: GPL-3.0-or-later
"""tunnel: how much TCP goes through both routers: natctl-tunnel, v2ray and the kernel's NAT alone, side by side.

Two sites in network namespaces; iperf3 sends from host C of site a to host D of site b. What changes is only what
lies between the routers' kernels. CPU time is what the kernel charges to the programs on both routers together.
"""

import statistics
from dataclasses import dataclass, field

from figures import in_turn, progress, ratios, spread, table
from natlab import Lab, build_sites
from natlab.iperf import iperf_server, tcp_goodput
from ways import KernelNat, NatctlTunnel, V2ray, cpu_seconds, running

RUNS = 5
STREAMS = (1, 8)


@dataclass
class Series:
    """All runs of one kind with one number of streams."""

    kind: str
    streams: int
    gigabits: list = field(default_factory=list)
    cpu_seconds_per_gigabyte: list = field(default_factory=list)

    def as_json(self):
        return {
            "kind": self.kind,
            "streams": self.streams,
            "gbit_per_second": spread(self.gigabits),
            "cpu_seconds_per_gigabyte": spread(self.cpu_seconds_per_gigabyte),
        }


def add_options(parser):
    parser.add_argument("--seconds", type=int, default=3, help="of each run (%(default)s)")


def shrink(options):
    options.seconds = 1


def wrong(options):
    return "--seconds wants a number above 0" if options.seconds < 1 else None


def measure_one(kind, sites, streams, seconds, series):
    a, b = sites
    with running(kind, sites) as programs:
        before = cpu_seconds(programs)
        goodput = tcp_goodput(a.host, b.virtual(20), streams, seconds)
        used = cpu_seconds(programs) - before
    series.gigabits.append(goodput.gigabits_per_second)
    series.cpu_seconds_per_gigabyte.append(used / (goodput.bytes / 1e9))


def measure(options, binaries):
    with Lab(binaries) as lab:
        sites = build_sites(lab)
        iperf_server(sites[1].host)
        kinds = [kind(lab, sites) for kind in (NatctlTunnel, V2ray, KernelNat)]
        results = {(kind.name, streams): Series(kind.name, streams) for streams in STREAMS for kind in kinds}
        for number in range(options.runs):
            for streams in STREAMS:
                for kind in in_turn(kinds, number):
                    progress(f"tunnel, run {number + 1} of {options.runs}: {kind.name}, {streams} ...")
                    measure_one(kind, sites, streams, options.seconds, results[kind.name, streams])
    series = list(results.values())
    return {
        "runs": options.runs,
        "seconds": options.seconds,
        "tcp": [one.as_json() for one in series],
        "ratio_to_v2ray": {n: spread(of(series, n, "natctl-tunnel", "v2ray")) for n in STREAMS},
        "ratio_to_kernel_nat": {n: spread(of(series, n, "natctl-tunnel", "kernel NAT")) for n in STREAMS},
    }


def of(results, streams, kind, other):
    gigabits = {series.kind: series.gigabits for series in results if series.streams == streams}
    return ratios(gigabits[kind], gigabits[other])


def text(figures):
    parts = [f"medians of {figures['runs']} runs of {figures['seconds']} s; CPU: user and system time of both programs"]
    for streams in STREAMS:
        here = {one["kind"]: one for one in figures["tcp"] if one["streams"] == streams}
        rows = []
        for kind, one in here.items():
            rate = one["gbit_per_second"]
            of_others = [
                statistics.median(ratios(rate["all"], here[other]["gbit_per_second"]["all"]))
                for other in ("v2ray", "kernel NAT")
            ]
            rows.append(
                [
                    kind,
                    f"{rate['median']:.2f}",
                    f"{rate['min']:.2f}..{rate['max']:.2f}",
                    f"{one['cpu_seconds_per_gigabyte']['median']:.2f}",
                    *(f"{ratio:.2f}" for ratio in of_others),
                ]
            )
        heads = ["Gbit/s", "min..max", "CPU s/GB", "of v2ray", "of kernel NAT"]
        parts.append(table(f"TCP, {streams} stream{'s' if streams > 1 else ''}", heads, rows))
    return "\n".join(parts)
