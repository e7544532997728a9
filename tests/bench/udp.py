# SPDX-License-Identifier: GPL-3.0-or-later
"""udp: how many datagrams of 1,200 bytes go through both routers: natctl-tunnel, v2ray, the kernel's NAT alone.

From one socket of host C of site a to one of host D of site b. First as many as the sender can send, which is more than
any of them carries: how much arrives then. Then the highest rate of which nothing is lost, by halving: at most one
datagram in a thousand may be missing in half a second.
"""

import contextlib
import socket

from figures import of_others, table
from natlab import Lab, build_sites, eventually
from ways import compare, cpu_seconds, load

RUNS = 5
SIZE = 1200
PORT = 9000
FIELDS = ("mbit_per_second", "loss", "cpu_seconds_per_gigabyte", "lossless_mbit_per_second")


def add_options(parser):
    parser.add_argument("--udp-seconds", type=float, default=1, help="of each flood (%(default)s)")
    parser.add_argument("--udp-steps", type=int, default=8, help="to find the rate without loss (%(default)s)")


def shrink(options):
    options.udp_seconds, options.udp_steps = 0.2, 3


def wrong(options):
    return None if options.udp_seconds > 0 and options.udp_steps > 0 else "--udp-... want numbers above 0"


def measure(options, binaries):
    with Lab(binaries) as lab:
        sites = build_sites(lab)

        def measure_one(programs, results):
            with Stream(*sites) as stream:
                measure_stream(stream, programs, options, results)

        kinds = compare("udp", lab, sites, options.runs, FIELDS, measure_one)
    return {
        "runs": options.runs,
        "seconds": options.udp_seconds,
        "size": SIZE,
        "kinds": kinds,
    }


def measure_stream(stream, programs, options, results):
    before = cpu_seconds(programs)
    flood = stream.send(0, options.udp_seconds)
    used = cpu_seconds(programs) - before
    arrived = flood["received"] * SIZE
    results["mbit_per_second"].append(arrived * 8 / 1e6 / flood["seconds"])
    results["loss"].append(1 - flood["received"] / flood["sent"])
    results["cpu_seconds_per_gigabyte"].append(used / (arrived / 1e9))
    # Nothing is lost at a tenth of what got through, and something at the half more than that.
    low, high = 0.1 * flood["received"] / flood["seconds"], 1.5 * flood["received"] / flood["seconds"]
    best = 0
    for _ in range(options.udp_steps):
        rate = (low + high) / 2
        done = stream.send(rate, options.udp_seconds / 2)
        if done["received"] >= 0.999 * done["sent"]:
            best = max(best, done["received"] * SIZE * 8 / 1e6 / done["seconds"])
            low = rate
        else:
            high = rate
    results["lossless_mbit_per_second"].append(best or low * SIZE * 8 / 1e6)


class Stream(contextlib.ExitStack):
    """From a socket of C to one of D that know each other."""

    def __init__(self, a, b):
        super().__init__()
        self._machine = a.host
        self._receiver = self.enter_context(b.host.socket(kind=socket.SOCK_DGRAM))
        self._receiver.bind(("", PORT))
        self._sender = self.enter_context(a.host.socket(kind=socket.SOCK_DGRAM))
        self._sender.connect((b.virtual(20), PORT))

        def arrives():
            self._sender.send(b"anybody there?")
            self._receiver.settimeout(0.2)
            return self._receiver.recv(100)

        eventually(arrives, what="the first datagram arrives")
        # The load has its own way to wait.
        for end in (self._sender, self._receiver):
            end.settimeout(None)

    def send(self, rate, seconds):
        ends = (self._sender.fileno(), self._receiver.fileno())
        return load(self._machine, "udp", *ends, SIZE, rate, seconds, descriptors=ends)


def text(figures):
    kinds = figures["kinds"]
    rows = []
    for name, fields in kinds.items():
        flooded, lossless = fields["mbit_per_second"], fields["lossless_mbit_per_second"]
        rows.append(
            [
                name,
                f"{flooded['median']:.0f}",
                f"{flooded['min']:.0f}..{flooded['max']:.0f}",
                f"{100 * fields['loss']['median']:.0f} %",
                f"{fields['cpu_seconds_per_gigabyte']['median']:.2f}",
                f"{lossless['median']:.0f}",
                f"{lossless['min']:.0f}..{lossless['max']:.0f}",
                *of_others(kinds, name, "lossless_mbit_per_second"),
            ]
        )
    heads = ["flooded Mbit/s", "min..max", "lost", "CPU s/GB", "without loss", "min..max", "of v2ray", "of kernel NAT"]
    title = f"UDP, {figures['size']} bytes; medians of {figures['runs']} runs; ratios of the rates without loss"
    return table(title, heads, rows)
