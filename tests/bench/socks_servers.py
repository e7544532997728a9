# SPDX-License-Identifier: GPL-3.0-or-later
"""socks: SOCKS5 servers alone, side by side: natctl-tunnel, microsocks, dante, v2ray.

Host C connects by the server on its router to a host of the router's other LAN, and sends as fast as it goes to a
server that reads and throws away. Nothing is translated.
"""

import statistics

from figures import in_turn, progress, ratios, spread, table
from natlab import Lab, build_sites, eventually, toml
from natlab import v2ray as v2
from natlab.servers import dante, microsocks
from ways import cpu_seconds, load, server

RUNS = 5
STREAMS = (1, 8)
SINK = 9300
HERE, PORT = "192.168.1.1", 1080
TARGET = f"10.10.10.5:{SINK}"
FIELDS = ("gbit_per_second", "cpu_seconds_per_gigabyte")


def natctl(site):
    listener = toml.listener(f"{HERE}:{PORT}", allow=["192.168.1.0/24"], to=["10.10.10.0/24"])
    site.router.configure(toml.site(site) + listener)
    return site.router.start_tunnel()


SERVERS = {
    "natctl-tunnel": natctl,
    "microsocks": lambda site: microsocks(site.router, HERE, PORT),
    "dante": lambda site: dante(site.router, HERE, PORT, external="lan1"),
    "v2ray": lambda site: v2.v2ray(site.router, [v2.socks_inbound(HERE, PORT)], [v2.FREEDOM]),
}


def add_options(parser):
    parser.add_argument("--socks-seconds", type=float, default=2, help="of each run (%(default)s)")


def shrink(options):
    options.socks_seconds = 0.3


def wrong(options):
    return None if options.socks_seconds > 0 else "--socks-seconds wants a number above 0"


def measure(options, binaries):
    with Lab(binaries) as lab:
        (site,) = build_sites(lab, "a")
        server(site.second, "sink", SINK)
        names = list(SERVERS)
        results = {streams: {name: {field: [] for field in FIELDS} for name in names} for streams in STREAMS}
        for number in range(options.runs):
            for name in in_turn(names, number):
                progress(f"socks, run {number + 1} of {options.runs}: {name} ...")
                program = SERVERS[name](site)
                for streams in STREAMS:
                    measure_one(site, program, streams, options.socks_seconds, results[streams][name])
                program.kill()
                # Its children may take a moment longer, and would be taken for the next one.
                eventually(lambda: not site.router.listens(PORT), what="nobody listens any more")
    return {
        "runs": options.runs,
        "seconds": options.socks_seconds,
        "streams": {
            streams: {name: {field: spread(all_of) for field, all_of in fields.items()} for name, fields in by.items()}
            for streams, by in results.items()
        },
    }


def measure_one(site, program, streams, seconds, results):
    before = cpu_seconds([program])
    done = load(site.host, "bulk", f"{HERE}:{PORT}", TARGET, streams, seconds)
    used = cpu_seconds([program]) - before
    results["gbit_per_second"].append(done["bytes"] * 8 / 1e9 / done["seconds"])
    results["cpu_seconds_per_gigabyte"].append(used / (done["bytes"] / 1e9))


def text(figures):
    parts = [f"medians of {figures['runs']} runs of {figures['seconds']:g} s"]
    for streams, servers in figures["streams"].items():
        rows = []
        ours = servers["natctl-tunnel"]
        for name, fields in servers.items():
            rate, cpu = fields["gbit_per_second"], fields["cpu_seconds_per_gigabyte"]
            rows.append(
                [
                    name,
                    f"{rate['median']:.2f}",
                    f"{rate['min']:.2f}..{rate['max']:.2f}",
                    f"{cpu['median']:.2f}",
                    f"{statistics.median(ratios(rate['all'], ours['gbit_per_second']['all'])):.2f}",
                    f"{statistics.median(ratios(cpu['all'], ours['cpu_seconds_per_gigabyte']['all'])):.2f}",
                ]
            )
        heads = ["Gbit/s", "min..max", "CPU s/GB", "rate of natctl's", "CPU of natctl's"]
        parts.append(table(f"SOCKS5 server, {streams} stream{'s' if streams > 1 else ''}", heads, rows))
    return "\n".join(parts)
