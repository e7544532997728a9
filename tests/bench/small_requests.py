# SPDX-License-Identifier: GPL-3.0-or-later
"""http: small HTTP requests a second through both routers: natctl-tunnel, v2ray, the kernel's NAT alone.

wrk at host C of site a asks nginx at host D of site b for a page of a line, over 64 connections that stay open.
"""

import re

from figures import of_others, table
from natlab import Lab, build_sites, nginx
from ways import compare, cpu_seconds

RUNS = 5
CONNECTIONS = 64
FIELDS = ("requests_per_second", "median_latency_ms", "cpu_seconds_per_100k")


def add_options(parser):
    parser.add_argument("--http-seconds", type=int, default=3, help="of each run (%(default)s)")


def shrink(options):
    options.http_seconds = 1


def wrong(options):
    return "--http-seconds wants a number above 0" if options.http_seconds < 1 else None


def measure(options, binaries):
    with Lab(binaries) as lab:
        sites = a, b = build_sites(lab)
        nginx(b.host)
        kinds = compare(
            "http",
            lab,
            sites,
            options.runs,
            FIELDS,
            lambda programs, results: measure_one(a, b, programs, options.http_seconds, results),
        )
    return {
        "runs": options.runs,
        "seconds": options.http_seconds,
        "connections": CONNECTIONS,
        "kinds": kinds,
    }


#: As wrk writes it.
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def measure_one(a, b, programs, seconds, results):
    command = ["wrk", "--threads", 1, "--connections", CONNECTIONS, "--duration", f"{seconds}s", "--latency"]
    before = cpu_seconds(programs)
    said = a.host.run(*command, f"http://{b.virtual(20)}:80/").stdout
    used = cpu_seconds(programs) - before
    assert "Socket errors" not in said and "Non-2xx" not in said, said
    requests = int(re.search(r"(\d+) requests in", said)[1])
    latency, unit = re.search(r"50% +([0-9.]+)(us|ms|s)", said).groups()
    results["requests_per_second"].append(float(re.search(r"Requests/sec: +([0-9.]+)", said)[1]))
    results["median_latency_ms"].append(float(latency) * UNITS[unit])
    results["cpu_seconds_per_100k"].append(used / requests * 1e5)


def text(figures):
    kinds = figures["kinds"]
    rows = []
    for name, fields in kinds.items():
        rate = fields["requests_per_second"]
        rows.append(
            [
                name,
                f"{rate['median']:.0f}",
                f"{rate['min']:.0f}..{rate['max']:.0f}",
                f"{fields['median_latency_ms']['median']:.2f}",
                f"{fields['cpu_seconds_per_100k']['median']:.2f}",
                *of_others(kinds, name, "requests_per_second"),
            ]
        )
    heads = ["a second", "min..max", "median ms", "CPU s/100k", "of v2ray", "of kernel NAT"]
    title = f"requests over {figures['connections']} connections; medians of {figures['runs']} runs"
    return table(title, heads, rows)
