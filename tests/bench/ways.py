# SPDX-License-Identifier: GPL-3.0-or-later
"""What may lie between the routers' kernels: natctl-tunnel on both, v2ray on both, or a cable; and how to load it."""

import contextlib
import json
import subprocess

from figures import in_turn, progress, spread
from natlab import Socks, Veth, configure
from natlab import v2ray as v2


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


@contextlib.contextmanager
def running(kind, sites):
    """The programs of that kind, until the end; the routers' rules lead to them."""
    configure(sites, kind.link)
    for site in sites:
        site.router.apply()
        site.router.run("conntrack", "-F", quiet=True)
    programs = kind.start(*sites)
    try:
        yield programs
    finally:
        for program in programs:
            program.kill()


def compare(what, lab, sites, runs, fields, measure):
    """Each kind's spread of each of the fields. `measure` is called with the running programs, and with lists by field
    to which it adds what it found."""
    kinds = [kind(lab, sites) for kind in (NatctlTunnel, V2ray, KernelNat)]
    results = {kind.name: {field: [] for field in fields} for kind in kinds}
    for number in range(runs):
        for kind in in_turn(kinds, number):
            progress(f"{what}, run {number + 1} of {runs}: {kind.name} ...")
            with running(kind, sites) as programs:
                measure(programs, results[kind.name])
    return {name: {field: spread(found) for field, found in lists.items()} for name, lists in results.items()}


def cpu_seconds(programs):
    return sum(program.cpu_seconds() for program in programs)


def resident_bytes(program):
    with open(f"/proc/{program.pid}/status") as file:
        (line,) = (line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def without_scarcity(machines):
    """Ports of closed connections are free again at once: there are only so many, and no figure is to depend on it."""
    for machine in machines:
        machine.sysctl(net__ipv4__ip_local_port_range="10000 65535", net__ipv4__tcp_tw_reuse=1)


def load(machine, *argv, descriptors=()):
    """What natctl-bench-load found, on that machine."""
    program = str(machine.lab.program("natctl-bench-load"))
    with machine.inside():
        process = subprocess.Popen(
            [program, *(str(word) for word in argv)], stdout=subprocess.PIPE, pass_fds=descriptors, text=True
        )
    said, _ = process.communicate(timeout=120)
    if process.returncode != 0:
        raise RuntimeError(f"natctl-bench-load {' '.join(map(str, argv))}: exit code {process.returncode}")
    return json.loads(said)


def server(machine, verb, port, *more):
    """natctl-bench-load on that machine, until the lab ends."""
    program = machine.start(f"load-{verb}", machine.lab.program("natctl-bench-load"), verb, port, *more)
    return program.wait_until(lambda: machine.listens(port), "it listens")
