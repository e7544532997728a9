# SPDX-License-Identifier: GPL-3.0-or-later
"""What a telephone or a game of the LAN finds out about its way to the Internet, by the tests of RFC 3489: a client of
STUN, and a server of two addresses and two ports that also answers from those it was not asked at.

    C, 192.168.1.20 --- [router: natctl-tunnel] --- SVR 198.51.100.50, SOCKS5 --+-- STUN 198.51.100.60 and .61
                                                                     the WAN    |
                        [router: masquerading] ---------------------------------+
"""

import pytest

from natlab import Lab, build_sites, eventually, toml
from natlab.servers import dante

pytestmark = pytest.mark.xdist_group("stun")

SVR, STUN, OTHER = (f"198.51.100.{last}" for last in (50, 60, 61))
PORT = 1080

INTERCEPT = f"""
[white_list]
endpoints = ["{SVR}"]

[intercept]
proxy = {{ socks5 = "{SVR}:{PORT}" }}
"""


@pytest.fixture(scope="module")
def a():
    with Lab() as lab:
        a = build_sites(lab, "a")[0]
        server = lab.network.machine("stun")
        lab.network.plug(server, "eth0", "wan", f"{STUN}/24", f"{OTHER}/24", via=["198.51.100.254"])
        program = server.start("stund", "/usr/sbin/stund", "-h", STUN, "-a", OTHER)
        program.wait_until(lambda: server.listens(3478, "udp") and server.listens(3479, "udp"), "it listens")
        proxy = lab.network.machine("svr")
        lab.network.plug(proxy, "eth0", "wan", f"{SVR}/24", via=["198.51.100.254"])
        dante(proxy, SVR, PORT, external="eth0", any_may_answer=True)
        a.router.masquerade("wan0")
        yield a


def kind_of_nat(host):
    """In the words of the client: "Independent Mapping, Port Dependent Filter, ..."."""
    said = host.run("stun", STUN, "-v", check=False)
    (line,) = (line for line in said.stdout.splitlines() if line.startswith("Primary:"))
    return line.removeprefix("Primary: ")


def test_through_the_tunnel_any_may_answer(a):
    a.router.apply(toml.site(a) + INTERCEPT)
    tunnel = a.router.start_tunnel()
    eventually(lambda: "Independent Mapping, Independent Filter" in kind_of_nat(a.host))
    tunnel.stop()


def test_through_the_kernel_only_who_was_asked(a):
    """As without natctl: so the client does see a difference."""
    a.router.apply(toml.site(a))
    eventually(lambda: "Independent Mapping, Port Dependent Filter" in kind_of_nat(a.host))
