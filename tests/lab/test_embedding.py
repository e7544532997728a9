# SPDX-License-Identifier: GPL-3.0-or-later
"""One IPv6 prefix of b, 64:ff9b:2222::/96, carries the IPv4 addresses of both its LANs in the last 32 bits.

    C --- [router a: kernel -> natctl-tunnel] --- SOCKS5 over the WAN --- [router b: natctl-tunnel] --- D, second
"""

import pytest

from natlab.embedding import carrying, joined
from natlab.greeter import PORT
from natlab.socks import Refused, knock

pytestmark = pytest.mark.xdist_group("embedding")


@pytest.fixture(scope="module")
def sites():
    with joined() as both:
        yield both


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


# --- natctl trace says so beforehand ---


def told(sites, source, real):
    """How the story ends at a, and at b, which the tunnel of a asks."""
    a, b = sites
    first, last = a.router.trace(source, carrying(real)), b.router.trace("router", carrying(real))
    assert (first["fate"], first["destination"]) == ("tunnel", carrying(real))
    assert any(f"the proxy {b.wan}:1080 of peer b" in step["text"] for step in first["steps"])
    return last


@pytest.mark.parametrize("real", ["192.168.1.20", "10.10.10.5", "192.168.1.1"])
@pytest.mark.parametrize("source", ["fd00:a::20", "router"])
def test_trace_tells_where_the_tunnel_connects_to(sites, source, real):
    a, b = sites
    last = told(sites, source, real)
    assert last["passes"] and any(f"connects to {real}" in step["text"] for step in last["steps"]), last
    asking = a.router if source == "router" else a.host
    greeting = asking.greeting(carrying(real))
    assert greeting.host == {"192.168.1.20": "D", "10.10.10.5": "second-b", "192.168.1.1": "router-b"}[real]
    assert greeting.saw in ("192.168.1.1", "10.10.10.10"), "of its own router, as SOCKS5 names no source"


@pytest.mark.parametrize("real", ["198.51.100.66", "127.0.0.1", "192.168.2.1", "224.0.0.1"])
def test_trace_tells_what_the_tunnel_refuses(sites, real):
    a, _ = sites
    last = told(sites, "fd00:a::20", real)
    assert any("it refuses: the map does not list the embedded address" in step["text"] for step in last["steps"])
    assert a.host.refusal(carrying(real), PORT) in ("refused", "reset")


def test_trace_tells_what_a_prefix_that_carries_addresses_does_not_carry(sites):
    a, b = sites
    found = a.router.trace("fd00:a::20", carrying("192.168.1.20"), "icmp")
    answered = a.host.run("ping", "-n", "-c1", "-W2", carrying("192.168.1.20"), check=False).code == 0
    assert found["fate"] == "refused" and "ICMP" in found["reason"] and not answered
