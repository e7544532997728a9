# SPDX-License-Identifier: GPL-3.0-or-later
"""agent: how soon natctl-agent has done what the world asks for, and what it costs while nothing happens.

From the moment in which an address of the WAN comes or goes to the kernel's word that the white list was committed,
beside a shell loop of `ip monitor` and `nft`; with as many host maps as may be, too. From a changed DNS record, of one
second to live, to the white list. From a cable that is pulled far away, which only probes notice, to new flows on the
other link.
"""

import os
import time

import hosts
from figures import progress, spread, table
from kernel_events import RTM_DELADDR, RTM_NEWADDR, KernelEvents
from natlab import Lab, Socks, Veth, build_sites, configure, eventually, netfilter, toml
from natlab.dns import NameServer
from ways import resident_bytes

RUNS = 1
#: The run directory is in memory, as /run is on routers: nothing waits for a disk.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
#: Seconds to live of a DNS record: the least there is.
TTL = 1

SHELL = """
nft 'add table inet shell; add set inet shell white { type ipv4_addr; }'
update() {
    set -- $(ip -o -4 address show dev wan0 | awk '{ sub("/.*", "", $4); print $4 }')
    nft "flush set inet shell white; add element inet shell white { $(echo "$*" | tr ' ' ,) }"
}
update
ip -o monitor address | while read -r line; do update; done
"""


def add_options(parser):
    parser.add_argument("--agent-events", type=int, default=200, help="addresses that come and go (%(default)s)")
    parser.add_argument("--agent-maps", type=int, default=262144, help="host maps (%(default)s)")
    parser.add_argument("--agent-changes", type=int, default=10, help="of names and of cables (%(default)s)")
    parser.add_argument("--agent-rest", type=float, default=10, help="seconds of doing nothing (%(default)s)")


def shrink(options):
    options.agent_events, options.agent_maps, options.agent_changes, options.agent_rest = 4, 64, 1, 1


def wrong(options):
    numbers = (options.agent_events, options.agent_maps, options.agent_changes, options.agent_rest)
    return None if all(number > 0 for number in numbers) else "--agent-... want numbers above 0"


def measure(options, binaries):
    figures = {"runs": options.runs, "events": options.agent_events, "maps": options.agent_maps}
    with Lab(binaries, MEMORY) as lab:
        progress("agent: addresses ...")
        a, b = build_sites(lab)
        figures["event_milliseconds"] = addresses(lab, a, b, options)
        figures["rest"] = rest(a.router.agent, options.agent_rest)
    with Lab(binaries, MEMORY) as lab:
        progress("agent: many maps ...")
        figures["many_maps"] = many_maps(*build_sites(lab), options)
    with Lab(binaries, MEMORY) as lab:
        progress("agent: names ...")
        figures["name_milliseconds"] = names(lab, *build_sites(lab), options)
    with Lab(binaries, MEMORY) as lab:
        progress("agent: links ...")
        figures["link_milliseconds"] = links(lab, *build_sites(lab), options)
    return figures


def flip(router, count):
    """Milliseconds from address to commit, for addresses of wan0 that come and go."""
    found = []
    with KernelEvents(router) as events:
        for number in range(count):
            kind = RTM_DELADDR if number % 2 else RTM_NEWADDR
            found.append(1e3 * events.address_to_commit(kind, "203.0.113.7"))
            # Its answer to what others did is no event of the next one.
            time.sleep(0.05)
    return found


def addresses(lab, a, b, options):
    configure([a, b], Veth(lab, [a, b], ipv6=False))
    a.router.configure(a.router.toml.read_text() + '\n[white_list]\ninterfaces = ["wan0"]\n')
    a.router.keep_up()
    found = {"natctl-agent": flip(a.router, options.agent_events)}
    shell = b.router.start("shell", "sh", "-c", SHELL)
    shell.wait_until(lambda: "inet shell" in b.router.ruleset(), "its table is there")
    found["ip monitor + nft"] = flip(b.router, options.agent_events)
    shell.kill()
    return {name: times(values) for name, values in found.items()}


def times(values):
    # The 99th percentile, of few the last.
    return {**spread(values), "p99": sorted(values)[min(len(values) - 1, int(0.99 * len(values)))]}


def rest(program, seconds):
    def switches():
        with open(f"/proc/{program.pid}/status") as file:
            return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)

    before, cpu = switches(), program.cpu_seconds()
    time.sleep(seconds)
    return {
        "wakeups_per_second": (switches() - before) / seconds,
        "cpu_milliseconds_per_second": 1e3 * (program.cpu_seconds() - cpu) / seconds,
        "resident_bytes": resident_bytes(program),
    }


def many_maps(a, b, options):
    router = a.router
    (router.directory / "hosts.map").write_text(hosts.maps_file(options.agent_maps))
    lines = toml.site(a).split("\n[[map]]")[0] + '\nmaps = "hosts.map"\n'
    peer = toml.peer(b, f'{{ socks5 = "{b.wan}:1080" }}')
    router.configure(lines + peer + '\n[white_list]\ninterfaces = ["wan0"]\n')
    program = router.keep_up()
    # The first comes while it still reads all the maps.
    flip(router, 2)
    found = flip(router, min(options.agent_events, 40))
    return {"event_milliseconds": times(found), "resident_bytes": resident_bytes(program)}


def names(lab, a, b, options):
    configure([a, b], Veth(lab, [a, b], ipv6=False))
    router = a.router
    router.configure(router.toml.read_text() + '\n[white_list]\nendpoints = ["proxy.test"]\n')
    server = NameServer(router, ttl=TTL)
    server.records(proxy=["198.51.100.7"])
    router.keep_up("--name-grace", 0, under=server.under())
    found = []
    with KernelEvents(router) as events:
        for number in range(options.agent_changes):
            address = f"203.0.113.{number + 1}"
            eventually(lambda: netfilter.elements(router, "white4"), what="the name is known")
            events.forget()
            begin = time.monotonic()
            server.records(proxy=[address])
            while address not in netfilter.elements(router, "white4"):
                last = events.commit()
            found.append(1e3 * (last - begin))
    return times(found)


def links(lab, a, b, options):
    veth, socks = Veth(lab, [a, b], ipv6=False), Socks(lab, [a, b])
    for own, other in ((a, b), (b, a)):
        ways = f"[{veth.to(other)}, {socks.to(other)}]"
        own.router.configure(toml.site(own) + toml.peer(other, ways) + socks.listeners(own, [other]))
        own.router.keep_up("--link-hold", 1)
    switches = lab.network.switches
    ports = switches.run("ip", "-o", "link", "show", "master", "overlay", quiet=True).stdout.splitlines()
    far = ports[1].split()[1].split("@")[0]
    found = []
    with KernelEvents(a.router) as events:
        for _ in range(options.agent_changes):
            # A probe has been answered.
            time.sleep(1)
            events.forget()
            begin = time.monotonic()
            switches.ip(f"link set {far} down")
            found.append(1e3 * (events.commit() - begin))
            assert netfilter.elements(a.router, "tun4"), "flows go to the proxy"
            switches.ip(f"link set {far} up")
            eventually(lambda: not netfilter.elements(a.router, "tun4"), what="ov0 is used again")
    return times(found)


def text(figures):
    rows = [
        ["address to white list: " + name, *cells(found)] for name, found in figures["event_milliseconds"].items()
    ]
    agent, shell = (found["median"] for found in figures["event_milliseconds"].values())
    many = figures["many_maps"]
    rows += [
        [f"the same with {figures['maps']} maps", *cells(many["event_milliseconds"])],
        [f"DNS record of {TTL} s to white list", *cells(figures["name_milliseconds"])],
        ["silent link to new flows on the next", *cells(figures["link_milliseconds"])],
    ]
    rest = figures["rest"]
    return "\n".join(
        [
            table(f"natctl-agent, milliseconds; {figures['events']} addresses", ["median", "min", "max", "p99"], rows),
            f"  the shell takes {shell / agent:.1f} times as long",
            f"  at rest: {rest['wakeups_per_second']:.1f} wake-ups a second, "
            f"{rest['cpu_milliseconds_per_second']:.2f} ms CPU a second, {rest['resident_bytes'] / 1e6:.1f} MB "
            f"resident; with {figures['maps']} maps {many['resident_bytes'] / 1e6:.1f} MB",
        ]
    )


def cells(found):
    return [f"{found[key]:.2f}" for key in ("median", "min", "max", "p99")]
