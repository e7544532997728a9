# SPDX-License-Identifier: GPL-3.0-or-later
"""`natctl trace` says of a flow what then happens to real packets: who answers and whom he sees, or how it is refused.

Site a reaches b by an interface, c by a proxy, and d by nothing: its interface does not exist.
"""

import socket

import pytest

from natlab import Capture, Greeting, Lab, Socks, Veth, build_sites, eventually, toml
from natlab.greeter import PORT
from natlab.machine import family_of

pytestmark = pytest.mark.xdist_group("trace")

#: Seconds within which an answer would have come.
PATIENCE = 1.0
#: linux/in.h, linux/in6.h: level and option of IP_RECVERR, IPV6_RECVERR
RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
REFUSED, UNREACHABLE, NOTHING = "refused", "unreachable", "nothing"


@pytest.fixture(scope="module")
def sites():
    with Lab() as lab:
        a, b, c = build_sites(lab, "abc")
        overlay, proxy = Veth(lab, [a, b, c]), Socks(lab, [a, b, c])
        nothing = '\n[[peer]]\nname    = "d"\nvirtual = ["240.4.4.0/24", "fd01:4::/64"]\nlink    = { dev = "wg9" }\n'
        a.router.configure(
            toml.site(a, True)
            + toml.peer(b, overlay.to(b), True)
            + toml.peer(c, proxy.to(c))
            + nothing
            + proxy.listeners(a, [c])
        )
        b.router.configure(toml.site(b, True) + toml.peer(a, overlay.to(a), True))
        c.router.configure(toml.site(c) + toml.peer(a, proxy.to(a)) + proxy.listeners(c, [a]))
        for site in (a, b, c):
            site.router.apply()
        for site in (a, c):
            site.router.start_tunnel()
        # C and D have a second address, whose virtual one belongs to the printer.
        for site in (a, b):
            site.host.ip("address add 192.168.1.200/24 dev eth0")
        yield {"a": a, "b": b, "c": c}


def trace(site, source, destination, protocol="tcp", *options):
    return site.router.trace(source, destination, protocol, PORT, *options)


def label_of(site, real):
    labels = {
        "192.168.1.1": site.router.label,
        "192.168.1.20": site.host.label,
        "192.168.1.200": site.host.label,
        "10.10.10.5": site.second.label,
        "10.10.10.7": site.printer.label,
        "10.10.10.10": site.router.label,
        "fd00:a::1": site.router.label,
        "fd00:a::20": site.host.label,
    }
    return labels[real]


def owner_of(sites, virtual):
    number = int(virtual.split(":")[1] if ":" in virtual else virtual.split(".")[1])
    return next(site for site in sites.values() if site.number == number)


def predicted(sites, site, source, destination, protocol):
    """What trace says at each router on the way: a Greeting, or how the sender is turned down."""
    found = trace(site, source, destination, protocol)
    if found["fate"] == "dropped":
        return NOTHING
    if found["fate"] == "refused":
        return REFUSED if found["sender_sees"] == "TCP reset" else UNREACHABLE
    if found["fate"] == "tunnel":
        # A connection of the far router to its own virtual address.
        far = owner_of(sites, destination)
        last = trace(far, "router", destination, protocol)
        return Greeting(label_of(far, last["destination"]), last["source"])
    if found["out"] == "ov0":
        far = owner_of(sites, destination)
        last = trace(far, found["source"], found["destination"], protocol)
        assert last["answer_source"] == destination and last["answer_destination"] == found["source"]
        assert last["passes"]
        return Greeting(label_of(far, last["destination"]), last["source"])
    return Greeting(label_of(site, found["destination"]), found["source"])


def happens(machine, source, destination, protocol):
    """What becomes of real packets, in the same terms."""
    bound = None if source == "router" else source
    try:
        if protocol == "tcp":
            with machine.dial(destination, PORT, PATIENCE, source=bound) as connection:
                return Greeting.read(connection)
        with machine.socket(family_of(destination), socket.SOCK_DGRAM, timeout=PATIENCE) as asking:
            # Without, a socket is not told of "no route".
            asking.setsockopt(*RECVERR[family_of(destination)], 1)
            if bound:
                asking.bind((bound, 0))
            asking.connect((destination, PORT))
            asking.send(b"who are you?")
            return Greeting.parse(asking.recv(65536))
    except ConnectionRefusedError:
        return REFUSED
    except TimeoutError:
        return NOTHING
    except OSError:
        return UNREACHABLE


def agree(sites, site, machine, source, destination, protocol):
    expected = predicted(sites, site, source, destination, protocol)

    def as_told():
        seen = happens(machine, source, destination, protocol)
        assert seen == expected, f"trace says {expected}, real packets say {seen}"
        return True

    # What is refused or dropped is at once; what answers may be late on a busy machine.
    eventually(as_told, deadline=15)
    return expected


FLOWS = [
    # From the LANs to peers, and back in from them.
    ("a", "host", "192.168.1.20", "240.2.2.20"),
    ("a", "host", "192.168.1.20", "240.2.10.5"),
    ("a", "host", "192.168.1.20", "240.2.2.200"),
    ("a", "second", "10.10.10.5", "240.2.2.20"),
    ("a", "printer", "10.10.10.7", "240.2.2.20"),
    ("a", "host", "fd00:a::20", "fd01:2::20"),
    ("b", "host", "192.168.1.20", "240.1.1.20"),
    ("b", "host", "192.168.1.20", "240.1.1.200"),
    ("b", "host", "192.168.1.20", "240.1.10.7"),
    ("b", "host", "fd00:a::20", "fd01:1::20"),
    # Hosts whose virtual address another one has.
    ("a", "host", "192.168.1.200", "240.2.2.20"),
    ("a", "host", "192.168.1.20", "240.2.10.7"),
    # Routers as targets and as clients.
    ("a", "host", "192.168.1.20", "240.2.2.1"),
    ("a", "router", "router", "240.2.2.20"),
    ("a", "router", "router", "240.2.2.1"),
    ("a", "router", "router", "fd01:2::20"),
    ("a", "router", "router", "240.1.10.5"),
    ("a", "router", "router", "240.1.1.20"),
    # Hairpin.
    ("a", "host", "192.168.1.20", "240.1.10.5"),
    ("a", "second", "10.10.10.5", "240.1.1.20"),
    ("a", "host", "192.168.1.20", "240.1.1.1"),
    ("a", "host", "fd00:a::20", "fd01:1::1"),
    # No link is up.
    ("a", "host", "192.168.1.20", "240.4.4.20"),
    ("a", "host", "fd00:a::20", "fd01:4::20"),
    ("a", "router", "router", "240.4.4.20"),
]


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(("name", "role", "source", "destination"), FLOWS, ids=lambda value: str(value))
def test_trace_agrees_with_real_packets(sites, name, role, source, destination, protocol):
    site = sites[name]
    agree(sites, site, getattr(site, role), source, destination, protocol)


@pytest.mark.parametrize(
    ("name", "role", "source", "destination"),
    [
        ("a", "host", "192.168.1.20", "240.3.3.20"),
        ("a", "second", "10.10.10.5", "240.3.10.5"),
        ("a", "router", "router", "240.3.3.20"),
        ("c", "host", "192.168.1.20", "240.1.1.20"),
        ("c", "host", "192.168.1.20", "240.1.1.200"),
        # Over UDP the greeter would answer from its first address.
        ("a", "host", "192.168.1.20", "240.2.10.10"),
    ],
)
def test_what_only_tcp_reaches(sites, name, role, source, destination):
    site = sites[name]
    expected = agree(sites, site, getattr(site, role), source, destination, "tcp")
    assert isinstance(expected, Greeting)


def test_what_a_proxy_does_not_carry(sites):
    a = sites["a"]
    found = trace(a, "192.168.1.20", "240.3.3.20", "icmp")
    assert found["fate"] == "refused" and "peer c" in found["reason"] and "ICMP" in found["reason"]
    assert a.host.run("ping", "-n", "-c1", "-W2", "240.3.3.20", check=False).code == 1


@pytest.mark.parametrize("forged", ["240.2.2.77", "240.1.1.77"])
def test_forged_sources_from_the_lan(sites, forged):
    a = sites["a"]
    a.host.ip(f"address add {forged}/32 dev eth0")
    found = trace(a, forged, "240.2.2.20", "tcp", "--in", "lan0")
    assert found["fate"] == "dropped" and "forged" in found["reason"]
    with Capture(a.router, "ov0") as seen:
        assert happens(a.host, forged, "240.2.2.20", "tcp") == NOTHING
    assert not [packet for packet in seen.packets() if packet.proto == "tcp"]
    a.host.ip(f"address delete {forged}/32 dev eth0")


def test_strangers_on_the_wan_and_on_the_link(sites):
    a = sites["a"]
    lab = a.router.lab
    intruder = lab.network.machine("intruder")
    lab.network.plug(intruder, "ov0", "overlay", "172.31.0.66/24")
    intruder.ip("route add 240.1.1.0/24 via 172.31.0.1", "route add 192.168.1.0/24 via 172.31.0.1")
    a.stranger.ip(f"route add 240.0.0.0/4 via {a.wan}")
    for machine, interface, source, destination in (
        (intruder, "ov0", "172.31.0.66", "240.1.1.20"),
        (intruder, "ov0", "172.31.0.66", "192.168.1.20"),
        (a.stranger, "wan0", "198.51.100.66", "240.1.1.20"),
        (a.stranger, "wan0", "198.51.100.66", "240.2.2.20"),
    ):
        found = trace(a, source, destination)
        assert found["in"] == interface, "where a packet comes from is found without being told"
        assert found["fate"] == "dropped", found
        with Capture(a.host, "eth0") as at_host, Capture(sites["b"].host, "eth0") as far:
            assert happens(machine, source, destination, "tcp") == NOTHING
        assert not [packet for packet in at_host.packets() + far.packets() if packet.proto == "tcp"]


def test_what_is_nobodys_goes_its_old_way(sites):
    a = sites["a"]
    for destination in ("240.9.9.9", "198.51.100.66"):
        found = trace(a, "192.168.1.20", destination, "udp")
        assert found["passes"] and found["out"] == "wan0" and found["source"] == "192.168.1.20"
        with Capture(a.router, "wan0") as seen:
            happens(a.host, "192.168.1.20", destination, "udp")
        assert destination in [str(packet.destination) for packet in seen.packets()]


def test_a_tunnel_that_does_not_run_and_a_machine_that_does_not_forward(sites):
    b = sites["b"]
    b.router.sysctl(net__ipv4__ip_forward=0)
    found = trace(b, "192.168.1.20", "240.1.1.20")
    assert found["fate"] == "dropped" and "sysctl -w net.ipv4.ip_forward=1" in found["reason"]
    assert happens(b.host, "192.168.1.20", "240.1.1.20", "tcp") == NOTHING
    b.router.sysctl(net__ipv4__ip_forward=1)

    c = sites["c"]
    tunnel = next(p for p in c.router.lab.programs if p.name == "natctl-tunnel" and p.where is c.router)
    tunnel.stop()
    expected = agree(sites, c, c.host, "192.168.1.20", "240.1.1.20", "tcp")
    assert expected == REFUSED
    assert "natctl-tunnel" in trace(c, "192.168.1.20", "240.1.1.20")["reason"]
    c.router.start_tunnel()


def test_names_words_and_rules(sites):
    router = sites["a"].router
    host = 'real    = "10.10.10.7"\n'
    router.configure(router.toml.read_text().replace(host, host + 'name    = "printer"\n'))
    natctl = router.lab.program("natctl")
    told = router.run(natctl, "trace", "printer", "240.2.2.20", "--config", router.toml).stdout.splitlines()
    assert told[0].startswith("arrives on lan1: 10.10.10.7 to 240.2.2.20")
    assert "240.2.2.20 belongs to peer b" in told
    assert "source 10.10.10.7 becomes 240.1.1.200" in told
    assert any(line.startswith("leaves by ov0") for line in told)
    told = router.run(natctl, "trace", "240.2.2.20", "printer", "--config", router.toml, "--rules").stdout
    assert "destination 240.1.1.200 becomes 10.10.10.7" in told and "nat_pre: dnat ip to ip daddr map @dnat4h" in told
    result = router.run(natctl, "trace", "192.168.1.20", "printer.b", "--config", router.toml, check=False)
    assert result.code == 1 and "printer.b" in result.stderr


def test_a_sender_given_by_its_virtual_name_sends_as_itself(sites):
    a = sites["a"]
    found = trace(a, "240.1.1.20", "240.2.2.20")
    assert "240.1.1.20 is what others call 192.168.1.20" in found["steps"][0]["text"]
    by_its_address = trace(a, "192.168.1.20", "240.2.2.20")
    assert found["steps"][1:] == by_its_address["steps"] and found["source"] == "240.1.1.20"
    # The router itself.
    assert trace(a, "240.1.1.1", "240.2.2.20")["steps"][1]["text"].startswith("this router sends")


def test_wanted_shows_what_would_be(sites):
    b = sites["b"].router
    natctl = b.lab.program("natctl")
    b.down()
    result = b.run(natctl, "trace", "192.168.1.20", "240.1.1.20", "--config", b.toml, check=False)
    assert "natctl apply" in result.stdout
    result = b.run(natctl, "trace", "192.168.1.20", "240.1.1.20", "--config", b.toml, "--wanted")
    assert "source 192.168.1.20 becomes 240.2.2.20" in result.stdout
    b.apply()


def test_somebody_elses_policy_rule_is_seen(sites):
    router = sites["a"].router
    router.ip("rule add pref 5000 to 240.2.2.0/24 lookup 100", "route add default via 198.51.100.254 table 100")
    result = router.run(
        *(router.lab.program("natctl"), "trace", "192.168.1.20", "240.2.2.20"), *("--config", router.toml), check=False
    )
    assert "in doubt" in result.stdout and "ip rule" in result.stdout, str(result)
    router.ip("rule delete pref 5000", "route flush table 100")
