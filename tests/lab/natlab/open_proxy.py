# SPDX-License-Identifier: GPL-3.0-or-later
"""What a proxy of router b must refuse to everybody, whatever its protocol."""

from contextlib import contextmanager

#: Loopback, the router itself, its LANs by their real addresses, the WAN, and what embeds or spells them otherwise:
#: everything but b's virtual prefixes.
FOREIGN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:0.0.0.0]",
    "[::127.0.0.1]",
    "localhost",
    "127.1",
    "2130706433",
    "192.168.1.1",
    "192.168.1.20",
    "[::ffff:192.168.1.20]",
    "10.10.10.5",
    "10.10.10.10",
    "198.51.100.2",
    "198.51.100.66",
    "[::ffff:198.51.100.66]",
    "255.255.255.255",
    "224.0.0.1",
    "240.9.9.9",
    "169.254.169.254",
    "[fd00:a::20]",
    "[fe80::1]",
]


@contextmanager
def nobody_called(sites):
    """Asserts that no host and no router of the sites is called meanwhile."""
    machines = [machine for site in sites for machine in (site.router, site.host, site.second)]
    machines.append(sites[1].stranger)
    before = [len(machine.greeter.seen) for machine in machines]
    yield
    assert [len(machine.greeter.seen) for machine in machines] == before, "nobody was called"
