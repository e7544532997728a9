# SPDX-License-Identifier: GPL-3.0-or-later
"""packets: small packets and new connections per second through both routers, translated and only forwarded.

From host C of site a to host D of site b, over an Ethernet between the routers: UDP of 22 bytes (64 bytes on the
wire) to one port; then datagrams each to another port, so that every one is a new connection to the routers. One core
carries each packet all the way from the sender to D's firewall, which counts and drops it. Packets per second are those
of one second of processor time, so they do not depend on how much of it others wanted meanwhile.
"""

import contextlib
import statistics

from figures import in_turn, progress, ratios, spread, table
from flood import BATCH, Flood
from natlab import Lab
from routers import ByHand, Masquerading, Natctl, Plain

RUNS = 7
MOST_FLOWS = 50000


def add_options(parser):
    parser.add_argument("--peers", default="1,100,10000", metavar="N,...", help="peers in site.toml (%(default)s)")
    parser.add_argument("--flows", type=int, default=MOST_FLOWS, help="new connections in a run (%(default)s)")
    parser.add_argument("--flood-seconds", type=float, default=1, help="of packets in a run (%(default)s)")


def shrink(options):
    options.peers, options.flows, options.flood_seconds = "1,2", BATCH, 0.05


def wrong(options):
    if not all(n.isdigit() and 0 < int(n) <= 16384 for n in options.peers.split(",")):
        return "--peers wants numbers up to 16384"
    if not 0 < options.flows <= MOST_FLOWS or options.flows % BATCH:
        return f"--flows wants a multiple of {BATCH} up to {MOST_FLOWS}"
    return None if options.flood_seconds > 0 else "--flood-seconds wants a number above 0"


def measure(options, binaries):
    kinds = [Plain(), Masquerading(), ByHand(), *(Natctl(int(n)) for n in options.peers.split(","))]
    packets, connections = ({kind.name: [] for kind in kinds} for _ in range(2))
    # Two routers of its own for each kind: none has to be set up anew at its turn.
    with contextlib.ExitStack() as labs:
        paths = {}
        for kind in kinds:
            progress(f"packets: building {kind.name} ...")
            paths[kind.name] = kind.build(labs.enter_context(Lab(binaries)))
        for number in range(options.runs):
            for kind in in_turn(kinds, number):
                progress(f"packets, run {number + 1} of {options.runs}: {kind.name} ...")
                path = paths[kind.name]
                packets[kind.name].append(packets_per_second(path, options.flood_seconds))
                connections[kind.name].append(connections_per_second(path, options.flows, kind.tracks))
    return {
        "runs": options.runs,
        "flood_seconds": options.flood_seconds,
        "flows": options.flows,
        "packets_per_second": {name: spread(values) for name, values in packets.items()},
        "new_connections_per_second": {name: spread(values) for name, values in connections.items()},
    }


def packets_per_second(path, seconds):
    path.forget_connections()
    with Flood(path.sites[0].host, path.source, path.target, ports=1) as flood:
        flood.once()
        return rate(path, lambda: flood.for_seconds(seconds))


def connections_per_second(path, flows, tracked):
    path.forget_connections()
    with Flood(path.sites[0].host, path.source, path.target, ports=flows) as flood:
        result = rate(path, flood.once)
    # A router that keeps track knows them all; some words with neighbours may come on top.
    known = path.connections()
    assert all(count >= flows for count in known) if tracked else known == [0, 0], known
    return result


def rate(path, send):
    before = path.arrived()
    sent = send()
    arrived = path.arrived() - before
    assert arrived >= 0.99 * sent.datagrams, f"{arrived} of {sent.datagrams} packets arrived as they should"
    return arrived / sent.cpu_seconds


def text(figures):
    parts = [f"medians of {figures['runs']} runs; a second is one of processor time"]
    titles = {"packets_per_second": "packets", "new_connections_per_second": "new connections"}
    for field, title in titles.items():
        kinds = figures[field]
        names = list(kinds)
        one_peer = next(name for name in names if name.startswith("natctl"))
        rows = []
        for name in names:
            all_of = kinds[name]["all"]
            of_others = [
                statistics.median(ratios(all_of, kinds[other]["all"])) for other in (names[0], names[2], one_peer)
            ]
            low_high = f"{kinds[name]['min']:.0f}..{kinds[name]['max']:.0f}"
            microseconds = 1e6 / kinds[name]["median"]
            cells = [name, f"{kinds[name]['median']:.0f}", low_high, f"{microseconds:.1f}"]
            rows.append(cells + [f"{ratio:.2f}" for ratio in of_others])
        heads = ["a second", "min..max", "us each", "of plain", "of nft by hand", f"of {one_peer}"]
        parts.append(table(title, heads, rows))
    return "\n".join(parts)
