#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites with the same addresses, built in network namespaces on this machine, and their hosts talking."""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from natlab import ROOT, Lab, Veth, WireGuardMesh, build_sites, exchange, nginx, page_of
from natlab import v2ray as v2

PICTURE = """\
        site A                                                               site B
   C  192.168.1.20                                                      D  192.168.1.20
           |                                                                    |
      192.168.1.1                                                          192.168.1.1
       router A   198.51.100.1 {middle} 198.51.100.2   router B
      10.10.10.10                                                          10.10.10.10
           |                                                                    |
   a host at 10.10.10.5                                                 a host at 10.10.10.5

   Both sites use 192.168.1.0/24 and 10.10.10.0/24, so C has no way to say "the 192.168.1.20 over there".
   With natctl on the routers, C calls D 240.2.2.20, and D calls C 240.1.1.20. The hosts change nothing.
"""

TOML = """\
site = "{own}"
lan  = ["lan0", "lan1"]

[[map]]
virtual = "240.{n}.{n}.0/24"
real    = "192.168.1.0/24"

[[map]]
virtual = "240.{n}.10.0/24"
real    = "10.10.10.0/24"

[[peer]]
name    = "{peer}"
virtual = ["240.{m}.{m}.0/24", "240.{m}.10.0/24"]
link    = {link}
"""

LISTENER = """
[[tunnel.socks5]]
listen = "{own.wan}:1080"
allow  = ["{peer.wan}/32"]
"""


class Tunnel:
    """natctl-tunnel on both routers; SOCKS5 between them."""

    middle = "SOCKS5"
    how = "natctl-tunnel on both routers carries the flows to the other one over SOCKS5."
    ping = False
    megabytes = 256

    def __init__(self, lab, sites):
        self.sites = sites

    def toml(self, own, peer):
        return text_of(own, peer, f'{{ socks5 = "{peer.wan}:1080" }}') + LISTENER.format(own=own, peer=peer)

    def start(self):
        for site in self.sites:
            site.router.start_tunnel()


class Xray(Tunnel):
    """natctl-tunnel hands flows to v2ray on its router, and the two v2rays speak VLESS."""

    middle = "VLESS"
    how = "natctl-tunnel hands the flows to v2ray on its own router by SOCKS5; the two v2rays speak VLESS."

    def toml(self, own, peer):
        return text_of(own, peer, '{ socks5 = "127.0.0.1:1080" }')

    def start(self):
        a, b = self.sites
        for own, peer in ((a, b), (b, a)):
            v2.v2ray(
                own.router,
                [v2.socks_inbound("127.0.0.1", 1080), v2.vless_inbound(own.wan, 4430)],
                [v2.FREEDOM, v2.vless_outbound("peer", peer.wan, 4430)],
                [v2.route([peer.prefix, peer.second_prefix], "peer")],
            )
        super().start()


class WireGuard:
    """The kernel alone, over WireGuard."""

    middle = "WireGuard"
    how = "WireGuard (wireguard-go) carries packets; all translation is the kernel's."
    ping = True
    megabytes = 64

    def __init__(self, lab, sites):
        self.link = WireGuardMesh(lab, sites)

    def toml(self, own, peer):
        return text_of(own, peer, self.link.to(peer))

    def start(self):
        pass


class Ethernet(WireGuard):
    """The kernel alone, over a cable."""

    middle = "a cable"
    how = "A cable from router to router (ov0) carries packets; all translation is the kernel's."
    megabytes = 256

    def __init__(self, lab, sites):
        self.link = Veth(lab, sites, ipv6=False)


LINKS = {"tunnel": Tunnel, "xray": Xray, "wireguard": WireGuard, "veth": Ethernet}
NEEDS = {"xray": "v2ray", "wireguard": "wireguard-go"}


def text_of(own, peer, link):
    return TOML.format(own=own.name, n=own.number, peer=peer.name, m=peer.number, link=link)


def bold(text):
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[1m{text}\033[0m" if coloured else text


def heading(text):
    print("\n" + bold(text))


def beside(left, right, gap=6):
    """Two texts in two columns."""
    columns = [text.rstrip().splitlines() for text in (left, right)]
    height = max(map(len, columns))
    width = max(map(len, columns[0])) + gap
    for lines in columns:
        lines += [""] * (height - len(lines))
    return "\n".join((a.ljust(width) + b).rstrip() for a, b in zip(*columns))


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms"


class Table:
    """Who talked to whom, gathered while it happens and printed at the end."""

    TITLES = ("what", "who asked", "for", "who answered", "and saw", "it took")

    def __init__(self):
        self.rows = []

    def add(self, *cells):
        self.rows.append(cells)
        print(f"  {cells[0]}: {cells[1]} asks for {cells[2]} ... {cells[5]}", flush=True)

    def print(self):
        rows = [self.TITLES, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.TITLES))]
        for number, row in enumerate(rows):
            line = "  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            print(bold(line) if number == 0 else line)


def talk(near, far, link, table):
    """What the host of one site asks of the other's; every answer is checked."""
    client, server, address = near.host, far.host, far.virtual(20)
    saw = near.virtual(20) if link.ping else "192.168.1.1"

    page = client.fetch(f"http://{address}/")
    assert page.text == page_of(server, client=saw), f"not the page of {server}: {page.text!r}"
    table.add("web page", client.label, address, server.label, saw, milliseconds(page.seconds))

    if link.ping:
        took = client.ping(address) / 1000
        table.add("ping", client.label, address, server.label, saw, milliseconds(took))
    assert client.udp_greeting(address).saw == saw
    table.add("UDP", client.label, address, server.label, saw, "answered")

    begin = time.monotonic()
    told = client.greeting(far.virtual_second(5))
    assert told.host == far.second.label
    assert told.saw == (saw if link.ping else "10.10.10.10")
    took = milliseconds(time.monotonic() - begin)
    table.add("second LAN", client.label, far.virtual_second(5), told.host, told.saw, took)


def transfer(near, far, megabytes, table):
    done = exchange(near.host, far.virtual(20), far.host, megabytes)
    figures = f"{done.seconds:.1f} s, {done.megabytes_per_second:.0f} MB/s, checksums equal"
    what = f"{megabytes} MiB each way at once"
    table.add(what, near.host.label, far.virtual(20), far.host.label, done.client, figures)


def demonstrate(lab, kind):
    begin = time.monotonic()
    a, b = sites = build_sites(lab)
    link = LINKS[kind](lab, sites)
    for site in sites:
        nginx(site.host)

    print(PICTURE.format(middle=f" {link.middle} ".center(27, "=")))
    print("   " + link.how)

    heading("What each router is told, in full:")
    texts = [link.toml(a, b), link.toml(b, a)]
    print(beside(*(f"# site.toml of router {site.name.upper()}\n{text}" for site, text in zip(sites, texts))))

    heading("natctl apply site.toml")
    for site, text in zip(sites, texts):
        took = site.router.apply(text).seconds
        print(f"  router {site.name.upper()}: done in {milliseconds(took)}")
    link.start()

    heading("The hosts talk:")
    table = Table()
    talk(a, b, link, table)
    talk(b, a, link, table)
    transfer(a, b, link.megabytes, table)

    heading("Who talked to whom:")
    table.print()
    if not link.ping:
        print("\n  Each host saw its own router, 192.168.1.1 or 10.10.10.10.")
        print("  SOCKS5 has no place for the client's address.")
        print("  SOCKS5 carries no ping either; links by interface do both: --link wireguard.")
    print(f"\nAll of this took {time.monotonic() - begin:.1f} s, and every answer was checked.")


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--link", choices=LINKS, default="tunnel", help="what lies between the routers (%(default)s)")
    kind = parser.parse_args().link
    program = NEEDS.get(kind)
    if program and not shutil.which(program):
        sys.exit(f"demo: --link {kind} needs {program}, which is not installed: apt-get install {program}")
    if kind == "wireguard" and not os.path.exists("/dev/net/tun"):
        sys.exit("demo: --link wireguard needs /dev/net/tun, which this machine does not have")

    with Lab(os.environ.get("NATCTL_BIN", ROOT / "build/release/bin")) as lab:
        try:
            demonstrate(lab, kind)
        except BrokenPipeError:
            sys.exit(1)  # nobody reads any more
        except Exception as error:
            print(lab.report(), file=sys.stderr)
            sys.exit(f"\ndemo: this did not work: {error}")
    print("The namespaces are removed again; nothing is left behind.")


if __name__ == "__main__":
    main()
