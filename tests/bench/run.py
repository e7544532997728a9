#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much TCP goes through both routers: natctl-tunnel, v2ray and the kernel's NAT alone, side by side in one run.

Two sites in network namespaces; iperf3 sends from host C of site a to host D of site b. What changes is only what
lies between the routers' kernels. The kinds take turns, so that whatever else the machine does hits all of them; the
figures are medians, and ratios compare neighbours in time. CPU time is what the kernel charges to the
programs on both routers together.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from natlab import ROOT, Lab, Socks, Veth, build_sites, configure
from natlab import v2ray as v2
from natlab.iperf import iperf_server, tcp_goodput

STREAMS = (1, 8)


class NatctlTunnel:
    name = "natctl-tunnel"

    def __init__(self, lab, sites):
        self.link = Socks(lab, sites)

    def start(self, a, b):
        return [a.router.start_tunnel(), b.router.start_tunnel()]


class V2ray:
    """v2ray in the place of natctl-tunnel: takes from TPROXY at a, hands over by SOCKS5 to b, which dials."""

    name = "v2ray"

    def __init__(self, lab, sites):
        self.link = Socks(lab, sites)

    def start(self, a, b):
        far = v2.v2ray(b.router, [v2.socks_inbound(b.wan, 1080)], [v2.FREEDOM])
        near = v2.v2ray(
            a.router, [v2.transparent_inbound("127.0.0.1", 12345)], [v2.socks_outbound("site-b", b.wan, 1080)]
        )
        return [near, far]


class KernelNat:
    """Packets from router to router over a cable: what translation alone costs."""

    name = "kernel NAT"

    def __init__(self, lab, sites):
        self.link = Veth(lab, sites)

    def start(self, a, b):
        return []


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


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "all": values}


def measure(kind, sites, streams, seconds, series):
    a, b = sites
    configure(sites, kind.link)
    for site in sites:
        site.router.apply()
    programs = kind.start(a, b)
    before = sum(program.cpu_seconds() for program in programs)
    goodput = tcp_goodput(a.host, b.virtual(20), streams, seconds)
    used = sum(program.cpu_seconds() for program in programs) - before
    series.gigabits.append(goodput.gigabits_per_second)
    series.cpu_seconds_per_gigabyte.append(used / (goodput.bytes / 1e9))
    for program in programs:
        program.kill()


def machine():
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def run(runs, seconds, binaries):
    with Lab(binaries) as lab:
        refuse_slow_builds(lab)
        sites = build_sites(lab)
        iperf_server(sites[1].host)
        kinds = [kind(lab, sites) for kind in (NatctlTunnel, V2ray, KernelNat)]
        results = {(kind.name, streams): Series(kind.name, streams) for streams in STREAMS for kind in kinds}
        for number in range(runs):
            for streams in STREAMS:
                # Another one begins each time.
                for kind in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
                    progress(f"run {number + 1} of {runs}: {kind.name}, {streams} ...")
                    measure(kind, sites, streams, seconds, results[kind.name, streams])
        progress("")
        return list(results.values())


def progress(text):
    """One line that is always the latest; only where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}\r{text}", end="", file=sys.stderr, flush=True)


def refuse_slow_builds(lab):
    if lab.built_with("address") or lab.built_with("thread"):
        sys.exit(f"bench: {lab.binaries} holds a sanitizer build; measure the release: ./dev build release")


def ratios(results, streams, kind, other):
    """Run by run, as neighbours in time share what else the machine does."""
    of = {series.kind: series.gigabits for series in results if series.streams == streams}
    return [one / two for one, two in zip(of[kind], of[other])]


def table(results):
    lines = []
    for streams in STREAMS:
        lines.append(f"\nTCP, {streams} stream{'s' if streams > 1 else ''}")
        lines.append(f"  {'':15}  Gbit/s        min..max   CPU s/GB   of v2ray   of kernel NAT")
        for series in results:
            if series.streams != streams:
                continue
            low_high = f"{min(series.gigabits):.2f}..{max(series.gigabits):.2f}"
            cpu = statistics.median(series.cpu_seconds_per_gigabyte)
            of_v2ray, of_kernel = (
                statistics.median(ratios(results, streams, series.kind, other)) for other in ("v2ray", "kernel NAT")
            )
            lines.append(
                f"  {series.kind:15} {statistics.median(series.gigabits):7.2f}   {low_high:>13}   {cpu:8.2f}"
                f"   {of_v2ray:8.2f}   {of_kernel:13.2f}"
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="of each kind (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="of each run (%(default)s)")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench.json", help="where the figures go")
    options = parser.parse_args()
    if options.runs < 1 or options.seconds < 1:
        parser.error("--runs and --seconds want a number above 0")

    here = machine()
    results = run(options.runs, options.seconds, os.environ.get("NATCTL_BIN", ROOT / "build/release/bin"))

    print(f"{here['cores']} x {here['processor']}, Linux {here['kernel']}, load {here['load_before']:.1f} before")
    print(f"medians of {options.runs} runs of {options.seconds} s, taking turns; ratios run by run;")
    print("CPU: user and system time that the kernel charges to the two programs")
    if here["load_before"] > here["cores"] / 2:
        print("This machine was busy with other things: trust the ratios only, and these not far.")
    print(table(results))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "machine": here,
        "runs": options.runs,
        "seconds": options.seconds,
        "tcp": [series.as_json() for series in results],
        "ratio_to_v2ray": {n: spread(ratios(results, n, "natctl-tunnel", "v2ray")) for n in STREAMS},
        "ratio_to_kernel_nat": {n: spread(ratios(results, n, "natctl-tunnel", "kernel NAT")) for n in STREAMS},
    }
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nall figures: {options.json}")


if __name__ == "__main__":
    main()
