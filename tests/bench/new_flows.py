# SPDX-License-Identifier: GPL-3.0-or-later
"""flows: new TCP flows through both routers: natctl-tunnel, v2ray, the kernel's NAT alone.

A flow is: host C of site a connects to host D of site b, says a byte, hears one, closes. One after another, for the
time from connect to the byte; and 64 at once, for as many as there can be in a second.
"""

from figures import of_others, table
from natlab import Lab, build_sites
from ways import compare, cpu_seconds, load, server, without_scarcity

RUNS = 5
PORT, PORTS = 9100, 8
AT_ONCE = 64
FIELDS = ("flows_per_second", "first_byte_us", "cpu_seconds_per_10k")


def add_options(parser):
    parser.add_argument("--flows-seconds", type=float, default=2, help="of each run (%(default)s)")


def shrink(options):
    options.flows_seconds = 0.3


def wrong(options):
    return None if options.flows_seconds > 0 else "--flows-seconds wants a number above 0"


def measure(options, binaries):
    with Lab(binaries) as lab:
        sites = a, b = build_sites(lab)
        without_scarcity([a.host, a.router, b.router, b.host])
        server(b.host, "echo", PORT, PORTS)
        kinds = compare(
            "flows",
            lab,
            sites,
            options.runs,
            FIELDS,
            lambda programs, results: measure_one(a, b, programs, options.flows_seconds, results),
        )
    return {
        "runs": options.runs,
        "seconds": options.flows_seconds,
        "at_once": AT_ONCE,
        "kinds": kinds,
    }


def measure_one(a, b, programs, seconds, results):
    target = f"{b.virtual(20)}:{PORT}"
    one = load(a.host, "flows", target, PORTS, 1, seconds)
    before = cpu_seconds(programs)
    many = load(a.host, "flows", target, PORTS, AT_ONCE, seconds)
    used = cpu_seconds(programs) - before
    for done in (one, many):
        assert done["failed"] <= 0.001 * done["flows"], done
    results["flows_per_second"].append(many["flows"] / many["seconds"])
    results["first_byte_us"].append(one["median_us"])
    results["cpu_seconds_per_10k"].append(used / many["flows"] * 1e4)


def text(figures):
    kinds = figures["kinds"]
    rows = []
    plain = kinds["kernel NAT"]["first_byte_us"]["median"]
    for name, fields in kinds.items():
        rate, first = fields["flows_per_second"], fields["first_byte_us"]
        rows.append(
            [
                name,
                f"{rate['median']:.0f}",
                f"{rate['min']:.0f}..{rate['max']:.0f}",
                f"{fields['cpu_seconds_per_10k']['median']:.2f}",
                *of_others(kinds, name, "flows_per_second"),
                f"{first['median']:.0f}",
                f"{first['median'] - plain:.0f}",
            ]
        )
    heads = ["a second", "min..max", "CPU s/10k", "of v2ray", "of kernel NAT", "first byte us", "added us"]
    title = f"new flows, {figures['at_once']} at once; first byte of one alone; medians of {figures['runs']} runs"
    return table(title, heads, rows)
