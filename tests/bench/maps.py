# SPDX-License-Identifier: GPL-3.0-or-later
"""maps: what host maps by the thousand cost, natctl apply beside nft -f.

From nothing, with the same elements: nft reads one map (virtual to real), both, or the whole table as `natctl show`
prints it; natctl reads a maps file beside site.toml, or every map in site.toml. Then what small changes cost: apply
again with nothing changed, one host moved to another address, one prefix map more. All are times of whole commands;
how long of that they are inside the kernel's netlink is measured by strace in runs of its own.
"""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass

import hosts
from cost import cost, netlink_time
from figures import in_turn, progress, ratios, spread, table
from natlab import Lab
from natlab.network import Network
from natlab.router import Router

RUNS = 5
#: strace's runs are fewer: they ask for times that vary less.
TRACES = 3
HOSTS = "1000,65536,262144"
#: Above that nobody would want them in site.toml.
MOST_IN_SITE = 65536


@dataclass
class Kind:
    """One thing that is measured."""

    name: str
    command: list
    #: Undoes it.
    back: Callable
    #: Writes what the command is to read.
    prepare: Callable = lambda: None
    #: Whether it changes rules.
    commits: bool = True


def add_options(parser):
    parser.add_argument("--hosts", default=HOSTS, metavar="N,...", help="how many host maps (%(default)s)")


def shrink(options):
    options.hosts = "100"


def wrong(options):
    counts = options.hosts.split(",")
    return None if all(n.isdigit() and 0 < int(n) <= 1000000 for n in counts) else "--hosts wants numbers up to 1000000"


def measure(options, binaries):
    figures = {}
    for count in map(int, options.hosts.split(",")):
        with Lab(binaries) as lab:
            router = build_router(lab)
            name = f"maps, {count}"
            figures[count] = {
                "from_nothing": series(f"{count} from nothing", options.runs, from_nothing(router, count), router),
                "changes": series(f"{count}, a change", options.runs, changes(router, count), router),
            }
    return {"runs": options.runs, "traced_runs": min(options.runs, TRACES), "hosts": figures}


def build_router(lab):
    network = Network(lab)
    router = network.machine("router", Router)
    for interface, address in (hosts.LAN, hosts.OVERLAY):
        network.segment(interface)
        network.plug(router, interface, interface, address)
    return router


def from_nothing(router, count):
    def nft(name, text, *table):
        file = router.directory / f"{name}.nft"
        file.write_text(text)
        return ["nft", "-f", file], lambda: router.run("nft", "delete", "table", *table, quiet=True)

    file = router.directory / "hosts.map"
    file.write_text(hosts.maps_file(count))
    router.configure(hosts.site_with_file(file.name))
    router.apply()
    shown = router.show()
    router.down()
    kinds = [
        Kind("nft -f, one map", *nft("one", hosts.nft_maps(count, both=False), "ip", "hosts")),
        Kind("nft -f, both maps", *nft("both", hosts.nft_maps(count, both=True), "ip", "hosts")),
        Kind("nft -f, natctl's table", *nft("shown", shown, "inet", "natctl")),
        Kind("natctl, maps file", router.command("apply", router.toml), router.down),
    ]
    if count <= MOST_IN_SITE:
        whole = router.directory / "whole.toml"
        whole.write_text(hosts.site_with_maps(count))
        kinds.append(Kind("natctl, site.toml", router.command("apply", whole), router.down))
    return kinds


def changes(router, count):
    """From a state that is applied, and back to it."""
    file = router.directory / "hosts.map"
    plain = hosts.maps_file(count)
    moved = hosts.with_one_moved(plain, count)

    def configure(maps, prefix=False):
        file.write_text(maps)
        router.configure(hosts.site_with_file(file.name, prefix))

    def restore():
        configure(plain)
        router.apply()

    restore()
    apply = router.command("apply", router.toml)
    return [
        Kind("nothing changed", apply, lambda: None, commits=False),
        Kind("one host moved", apply, restore, lambda: configure(moved)),
        Kind("one prefix more", apply, restore, lambda: configure(plain, prefix=True)),
    ]


def series(name, runs, kinds, namespace):
    def take(measure, runs):
        results = {kind.name: [] for kind in kinds}
        for number in range(runs):
            for kind in in_turn(kinds, number):
                progress(f"maps, {name}, run {number + 1} of {runs}: {kind.name} ...")
                kind.prepare()
                results[kind.name].append(measure(namespace, kind.command))
                kind.back()
        return results

    costs, traces = take(cost, runs), take(netlink_time, min(runs, TRACES))
    for kind in kinds:
        committed = all(trace.commit_milliseconds > 0 for trace in traces[kind.name])
        assert committed == kind.commits, f"{kind.name}: {traces[kind.name]}"
    return {kind.name: spreads(costs[kind.name]) | spreads(traces[kind.name]) for kind in kinds}


def spreads(results):
    """By field."""
    return {name: spread([getattr(one, name) for one in results]) for name in asdict(results[0])}


def text(figures):
    parts = [f"medians of {figures['runs']} runs; netlink: medians of {figures['traced_runs']} runs under strace"]
    for count, of in figures["hosts"].items():
        parts.append(table(f"{count} hosts, from nothing", *text_from_nothing(of["from_nothing"])))
        parts.append(table(f"{count} hosts, a change", *text_changes(of["changes"])))
    return "\n".join(parts)


def text_from_nothing(kinds):
    def ratio(kind, other, name):
        return f"{statistics.median(ratios(kinds[kind][name]['all'], kinds[other][name]['all'])):.2f}"

    both, one = "nft -f, both maps", "nft -f, one map"
    rows = [
        [
            *cells(name, of),
            f"{of['commit_milliseconds']['median']:.1f}",
            f"{of['peak_megabytes']['median']:.1f}",
            *(ratio(name, both, field) for field in ("milliseconds", "cpu_milliseconds", "peak_megabytes")),
            ratio(name, one, "milliseconds"),
            ratio(name, one, "peak_megabytes"),
        ]
        for name, of in kinds.items()
    ]
    of_both = ["time of both", "CPU of both", "MB of both", "time of one", "MB of one"]
    return ["ms", "min..max", "CPU ms", "commit ms", "MB", *of_both], rows


def text_changes(kinds):
    rows = []
    for name, of in kinds.items():
        netlink = (f"{of[field]['median']:.2f}" for field in ("milliseconds_in_netlink", "commit_milliseconds"))
        rows.append([*cells(name, of), f"{of['system_milliseconds']['median']:.1f}", *netlink])
    return ["ms", "min..max", "CPU ms", "system ms", "netlink ms", "commit ms"], rows


def cells(name, of):
    took = of["milliseconds"]
    low_high = f"{took['min']:.1f}..{took['max']:.1f}"
    return [name, f"{took['median']:.1f}", low_high, f"{of['cpu_milliseconds']['median']:.1f}"]
