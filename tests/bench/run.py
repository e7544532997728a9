#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of natctl beside those of other programs, in one run. Everything happens in network namespaces that it
makes and removes. What is compared takes turns, so that whatever else the machine does hits all of it; the figures
are medians, the ratios medians of ratios run by run.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lab"))

import agent
import conntrack
import idle_flows
import maps
import new_flows
import packets
import small_requests
import socks_servers
import tunnel
import udp
from figures import describe, machine, progress

PARTS = {
    "tunnel": tunnel,
    "udp": udp,
    "socks": socks_servers,
    "http": small_requests,
    "flows": new_flows,
    "idle": idle_flows,
    "agent": agent,
    "conntrack": conntrack,
    "maps": maps,
    "packets": packets,
}


def parse():
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=__doc__,
        epilog="\n".join(part.__doc__ for part in PARTS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"of {', '.join(PARTS)}; all of them by default")
    defaults = ", ".join(f"{name} {part.RUNS}" for name, part in PARTS.items())
    parser.add_argument("--runs", type=int, help=f"of each kind ({defaults})")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench.json", help="where the figures go")
    parser.add_argument(
        "--smoke", action="store_true", help="smallest sizes, one run, any build: only whether the benchmark works"
    )
    for name, part in PARTS.items():
        part.add_options(parser.add_argument_group(name))
    options = parser.parse_args()

    for name in options.what:
        if name not in PARTS:
            parser.error(f"unknown part '{name}': there are {', '.join(PARTS)}")
    if options.smoke:
        options.runs = 1
        for part in PARTS.values():
            part.shrink(options)
    if options.runs is not None and options.runs < 1:
        parser.error("--runs wants a number above 0")
    for part in PARTS.values():
        if complaint := part.wrong(options):
            parser.error(complaint)
    return options


def refuse_slow_builds(binaries):
    for name in ("natctl", "natctl-tunnel"):
        program = binaries / name
        if not program.exists():
            sys.exit(f"bench: {program} is missing: build it first, or set NATCTL_BIN to the directory of the programs")
        if any(mark in program.read_bytes() for mark in (b"__asan_init", b"__tsan_init")):
            sys.exit(f"bench: {binaries} holds a sanitizer build; measure the release: ./dev build release")


def version(binaries):
    return subprocess.run([binaries / "natctl", "--version"], check=True, capture_output=True, text=True).stdout.strip()


def main():
    options = parse()
    binaries = Path(os.environ.get("NATCTL_BIN", ROOT / "build/release/bin"))
    if not options.smoke:
        refuse_slow_builds(binaries)

    figures = {"version": version(binaries), "machine": machine()}
    print(f"{figures['version']}; " + describe(figures["machine"]))
    for name, part in PARTS.items():
        if options.what and name not in options.what:
            continue
        load = os.getloadavg()[0]
        of_part = argparse.Namespace(**{**vars(options), "runs": options.runs or part.RUNS})
        figures[name] = {"load_before": load, **part.measure(of_part, binaries)}
        progress("")
        print(f"\n{name} (load {load:.1f} before)\n{part.text(figures[name])}", flush=True)
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nall figures: {options.json}")


if __name__ == "__main__":
    main()
