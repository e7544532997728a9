# SPDX-License-Identifier: GPL-3.0-or-later
"""One IPv6 prefix of b, 64:ff9b:2222::/96, carries the IPv4 addresses of both its LANs in the last 32 bits.

    C --- [router a: kernel -> natctl-tunnel] --- SOCKS5 over the WAN --- [router b: natctl-tunnel] --- D, second
"""

import ipaddress

import pytest

from natlab import Lab, build_sites, toml
from natlab.greeter import PORT
from natlab.socks import Refused, knock

pytestmark = pytest.mark.xdist_group("embedding")

PREFIX = "64:ff9b:2222::/96"


def carrying(address):
    network = ipaddress.ip_network(PREFIX)
    return str(network[int(ipaddress.ip_address(address))])


@pytest.fixture(scope="module")
def sites():
    with Lab() as lab:
        a, b = build_sites(lab)
        a.router.apply(
            toml.site(a)
            + f"""
[[peer]]
name    = "b"
virtual = ["{b.prefix}", "{PREFIX}"]
link    = {{ socks5 = "{b.wan}:1080" }}
"""
        )
        b.router.configure(
            toml.site(b)
            + f"""
[[map]]
virtual = "{PREFIX}"
real    = ["192.168.1.0/24", "10.10.10.0/24"]
"""
            + toml.listener(f"{b.wan}:1080", allow=[f"{a.wan}/32"])
        )
        b.router.apply()
        a.router.start_tunnel()
        b.router.start_tunnel()
        yield a, b


@pytest.mark.parametrize(
    ("real", "name"), [("192.168.1.20", "D"), ("10.10.10.5", "second-b"), ("10.10.10.7", "printer-b")]
)
def test_hosts_of_both_lans_are_reached_through_one_prefix(sites, real, name):
    a, _ = sites
    assert a.host.greeting(carrying(real)).host == name
    assert a.host.udp_greeting(carrying(real)).host == name
    assert a.router.greeting(carrying(real)).host == name


@pytest.mark.parametrize(
    "real",
    [
        "198.51.100.66",
        "198.51.100.2",
        "127.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "224.0.0.1",
        "192.168.2.1",
        "240.2.2.20",
    ],
)
def test_nothing_else_is(sites, real):
    a, _ = sites
    assert a.host.refusal(carrying(real), PORT) in ("refused", "reset")
    with pytest.raises(Refused):
        knock(a.router, "198.51.100.2:1080", f"[{carrying(real)}]:{PORT}")
