# SPDX-License-Identifier: GPL-3.0-or-later
"""conntrack: what it costs to find and delete 1,000 connections that a change made wrong among 100,000.

One host map gets another target, and 500 flows to that name and 500 from its host are open.
That change takes turns with one that concerns no flow, a prefix more or less in the white list. What `natctl apply`
takes longer for the first is finding and deleting. (A router without connections would be no measure: the kernel has
one table for all network namespaces and walks through all of it.) Beside it the conntrack tool deletes the same entries
by address, which takes two runs, one for either direction.
"""

import statistics
import time

from figures import progress, ratios, spread, table
from natlab import Lab, Veth, build_sites, configure
from natlab.conntrack import Entry, insert

RUNS = 9

NAME = "240.1.1.200"
HOSTS = ("10.10.10.7", "10.10.10.5")
LINK = 0x400


def others(count, share):
    """Connections that go on: `share` of them with peers, the rest with the Internet, masqueraded."""
    for number in range(count):
        host, port, far = 10 + number % 150, 1024 + number % 60000, 1 + number // 60000
        if number < count * share / 2:
            real, name = f"192.168.1.{host}", f"240.1.1.{host}"
            yield Entry(real, f"240.2.2.{far}", port, 443, snat=name, mark=LINK)
        elif number < count * share:
            real, name = f"192.168.1.{host}", f"240.1.1.{host}"
            yield Entry(f"240.2.2.{far}", name, port, 443, dnat=real, mark=LINK)
        else:
            yield Entry(f"192.168.1.{host}", f"203.0.113.{far}", port, 443, snat="198.51.100.1")


def doomed(count, host):
    """Connections of the name while it is that host's."""
    for number in range(count // 2):
        yield Entry("240.2.2.77", NAME, 2000 + number, 80, dnat=host, mark=LINK)
        yield Entry(host, "240.2.2.78", 2000 + number, 80, snat=NAME, mark=LINK)


def count(router):
    return int(router.run("conntrack", "-C", quiet=True).stdout)


def rename(text, host):
    """The site with NAME for that host."""
    start = text.index(NAME)
    for other in HOSTS:
        text = text[:start] + text[start:].replace(f'"{other}"', f'"{host}"', 1)
    return text


def apply(router, text):
    """Milliseconds of `natctl apply`."""
    router.configure(text)
    begin = time.perf_counter()
    router.apply()
    return (time.perf_counter() - begin) * 1000


def by_tool(router):
    """Milliseconds of the conntrack tool for the same."""
    begin = time.perf_counter()
    for direction in ("--orig-dst", "--reply-dst"):
        router.run("conntrack", "-D", direction, NAME, quiet=True)
    return (time.perf_counter() - begin) * 1000


def add_options(parser):
    parser.add_argument("--connections", type=int, default=100000, help="(%(default)s)")
    parser.add_argument("--stale", type=int, default=1000, help="of them (%(default)s)")
    parser.add_argument("--share", type=float, default=0.1, help="of the others that is with peers (%(default)s)")


def shrink(options):
    options.connections, options.stale = 2000, 100


def wrong(options):
    if options.stale < 2 or options.connections < options.stale:
        return "--stale wants a number above 1, --connections one not below that"
    return None if 0 <= options.share <= 1 else "--share wants a number from 0 to 1"


def measure(options, binaries):
    took = measure_runs(options.runs, options.connections, options.stale, options.share, binaries)
    return {
        "runs": options.runs,
        "connections": options.connections,
        "stale": options.stale,
        "share_with_peers": options.share,
        "milliseconds": {name: spread(values) for name, values in took.items()},
    }


def measure_runs(runs, connections, stale, share, binaries):
    with Lab(binaries) as lab:
        sites = build_sites(lab)
        configure(sites, Veth(lab, sites, ipv6=False))
        router = sites[0].router
        plain = router.toml.read_text()
        router.apply()
        insert(router, others(connections - stale, share))
        took = {"natctl": [], "conntrack_tool": [], "apply": [], "apply_of_no_concern": []}
        for number in range(runs):
            progress(f"conntrack, run {number + 1} of {runs} ...")
            now, then = (rename(plain, HOSTS[(number + i) % 2]) for i in range(2))
            apply(router, now)
            insert(router, doomed(stale, HOSTS[number % 2]))
            assert count(router) == connections
            no_concern = apply(router, 'white_list = ["203.0.113.0/24"]\n' + now)
            apply(router, now)
            assert count(router) == connections, "a white list concerns no flow"
            concern = apply(router, then)
            left = count(router)
            assert left == connections - stale, f"{connections - left} of {stale} stale connections were deleted"
            took["apply"].append(concern)
            took["apply_of_no_concern"].append(no_concern)
            took["natctl"].append(concern - no_concern)
            insert(router, doomed(stale, HOSTS[(number + 1) % 2]))
            took["conntrack_tool"].append(by_tool(router))
            assert count(router) == connections - stale
        return took


WORDS = {
    "natctl": "find and delete: natctl",
    "conntrack_tool": "find and delete: conntrack -D, twice",
    "apply": "natctl apply as a whole, of a host map",
    "apply_of_no_concern": "natctl apply as a whole, of the white list",
}


def text(figures):
    took = figures["milliseconds"]
    rows = []
    for name, words in WORDS.items():
        of_tool = statistics.median(ratios(took[name]["all"], took["conntrack_tool"]["all"]))
        low_high = f"{took[name]['min']:.1f}..{took[name]['max']:.1f}"
        rows.append([words, f"{took[name]['median']:.1f}", low_high, f"{of_tool:.2f}"])
    title = (
        f"medians of {figures['runs']} runs; {figures['stale']} stale connections among {figures['connections']}, "
        f"{figures['share_with_peers']:.0%} of the others with peers"
    )
    return table(title, ["ms", "min..max", "of conntrack -D"], rows)
