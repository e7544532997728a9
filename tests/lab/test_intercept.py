# SPDX-License-Identifier: GPL-3.0-or-later
"""A LAN's traffic to the Internet goes through a proxy, but for what the white list spares.

    C, 192.168.1.20 --- [router: kernel -> natctl-tunnel -> proxy's client] ------+--- SVR, the proxy's server
                          LAN        R2      R1           R3, R4   PPP = wan0     +--- NET, DIRECT, SPARED: the Internet

    proxied                  C -> NET:     the proxy's client wraps it for SVR, which dials. NET sees SVR.
    never in the proxy       C -> SPARED:  in the white list: translated to PPP's address and nothing else.
    in the proxy and out     C -> DIRECT:  the proxy's client dials by itself. DIRECT sees PPP's address.
"""

import contextlib
import itertools
import json
import os
import re
import socket
from pathlib import Path

import pytest

from natlab import Capture, Greeting, Lab, always, build_sites, eventually
from natlab import v2ray as v2
from natlab.greeter import PORT

pytestmark = pytest.mark.xdist_group("intercept")

SVR, NET, DIRECT, SPARED = (f"198.51.100.{last}" for last in (50, 60, 61, 62))
SVR6, NET6, DIRECT6, SPARED6 = (f"2001:db8::{last}" for last in (50, 60, 61, 62))
PPP, PPP6 = "198.51.100.1", "2001:db8::1"
CLIENT, VLESS = 1081, 4431
#: Of the proxy's own sockets, as in Xray's samples.
PROXY_MARK = 255
#: linux/in.h
IP_RECVERR = 11
#: Of connections that live in the tunnel.
TUNNEL_MARK = 0x100
CGROUP_ROOTS = [path for path in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{path}/cgroup.procs")]

SITE = """
site = "a"
lan  = ["lan0", "lan1"]

[[map]]
virtual = "240.1.1.0/24"
real    = "192.168.1.0/24"
"""


def intercept(more="", white=(SPARED, SPARED6)):
    listed = json.dumps(list(white))
    return f"""{SITE}
[white_list]
prefixes = {listed}

[intercept]
proxy = {{ socks5 = "127.0.0.1:{CLIENT}" }}
{more}
"""


class World:
    def __init__(self, lab):
        self.a = build_sites(lab, "a")[0]
        self.lab = lab
        network = lab.network
        self.others = {}
        both = (("svr", SVR, SVR6), ("net", NET, NET6), ("direct", DIRECT, DIRECT6), ("spared", SPARED, SPARED6))
        for label, address, address6 in both:
            machine = network.machine(label)
            network.plug(machine, "eth0", "wan", f"{address}/24", f"{address6}/64", via=["198.51.100.254"])
            self.others[label] = machine
        self.a.router.ip(f"address add {PPP6}/64 dev wan0 nodad")
        self.a.router.masquerade("wan0", "ip6")
        v2.v2ray(self.others["svr"], [v2.vless_inbound(SVR, VLESS)], [v2.FREEDOM])

    def start_proxy(self, prefix=(), mark=None):
        """The proxy's client on the router; all but DIRECT goes to SVR."""
        server, direct = v2.vless_outbound("svr", SVR, VLESS), dict(v2.FREEDOM)
        if mark:
            for outbound in (server, direct):
                outbound.setdefault("streamSettings", {})["sockopt"] = {"mark": mark}
        return v2.v2ray(
            self.a.router,
            [v2.socks_inbound("127.0.0.1", CLIENT)],
            [server, direct],
            [v2.route([f"{DIRECT}/32", f"{DIRECT6}/128"], "direct")],
            prefix=prefix,
        )

    def tuples(self):
        """What conntrack on the router holds of TCP: (source, destination, and the same of the reply)."""
        listing = self.a.router.run("conntrack", "-L", "-p", "tcp", quiet=True).stdout
        found = re.findall(r"src=(\S+) dst=(\S+) .*?src=(\S+) dst=(\S+) ", listing)
        return set(found)

    def marks(self, destination):
        """Connection marks of the flows to that address, each once, sorted."""
        listing = self.a.router.run("conntrack", "-L", "--orig-dst", destination, quiet=True).stdout
        return sorted({int(found) for found in re.findall(r" mark=(\d+) ", listing)})

    def forget(self):
        self.a.router.run("conntrack", "-F", quiet=True)


@pytest.fixture(scope="module", params=["tproxy", "redirect"])
def world(request):
    with Lab() as lab:
        made = World(lab)
        made.by = request.param
        more = 'by = "redirect"\nprotocols = "tcp"' if made.by == "redirect" else ""
        made.a.router.apply(intercept(more))
        made.a.router.start_tunnel()
        made.start_proxy()
        yield made


def seen_on_the_wan(capture, *of):
    """Sources and destinations of packets that have one of these addresses. Flows of the test before may still end."""
    pairs = {(str(p.source), str(p.destination)) for p in capture.packets()}
    return {pair for pair in pairs if set(pair) & set(of)}


def test_proxied_traffic(world):
    """R1 to R4: the WAN sees PPP and SVR alone, and SVR and NET."""
    c = "192.168.1.20"
    world.forget()
    with Capture(world.a.router, "wan0") as wan:
        assert world.a.host.greeting(NET) == Greeting("net", saw=SVR)
    assert seen_on_the_wan(wan, SVR, NET, c) == {(PPP, SVR), (SVR, PPP)}
    tuples = world.tuples()
    # LAN -> NET ends at the tunnel: TPROXY leaves the addresses as they are, REDIRECT answers from its listener.
    listener = NET if world.by == "tproxy" else "192.168.1.1"
    assert (c, NET, listener, c) in tuples
    # The proxy's own connection to its server, never translated and never intercepted.
    assert (PPP, SVR, SVR, PPP) in tuples
    assert not [t for t in tuples if t[0] == PPP and t[1] == NET]


def test_traffic_that_never_enters_the_proxy(world):
    c = "192.168.1.20"
    world.forget()
    with Capture(world.a.router, "wan0") as wan:
        assert world.a.host.greeting(SPARED) == Greeting("spared", saw=PPP)
    assert seen_on_the_wan(wan, SPARED, c) == {(PPP, SPARED), (SPARED, PPP)}
    # R1 and R2: source NAT and nothing else.
    assert {t for t in world.tuples() if SPARED in t} == {(c, SPARED, SPARED, PPP)}


def test_traffic_that_the_proxy_sends_directly(world):
    c = "192.168.1.20"
    world.forget()
    with Capture(world.a.router, "wan0") as wan:
        assert world.a.host.greeting(DIRECT) == Greeting("direct", saw=PPP)
    assert seen_on_the_wan(wan, DIRECT, c) == {(PPP, DIRECT), (DIRECT, PPP)}
    tuples = world.tuples()
    listener = DIRECT if world.by == "tproxy" else "192.168.1.1"
    assert (c, DIRECT, listener, c) in tuples
    assert (PPP, DIRECT, DIRECT, PPP) in tuples


def test_udp(world):
    if world.by == "redirect":
        # There is no REDIRECT for UDP that keeps the destination: it goes as it always did.
        assert world.a.host.udp_greeting(NET) == Greeting("net", saw=PPP)
    else:
        assert world.a.host.udp_greeting(NET) == Greeting("net", saw=SVR)
    assert world.a.host.udp_greeting(SPARED) == Greeting("spared", saw=PPP)


def test_ipv6(world):
    """The same by its IPv6 addresses, which the proxy carries over IPv4 to SVR."""
    with Capture(world.a.router, "wan0") as wan:
        assert world.a.host.greeting(NET6) == Greeting("net", saw=SVR6)
        assert world.a.host.greeting(SPARED6) == Greeting("spared", saw=PPP6)
        assert world.a.host.greeting(DIRECT6) == Greeting("direct", saw=PPP6)
    assert seen_on_the_wan(wan, SVR, NET6, "fd00:a::20") == {(PPP, SVR), (SVR, PPP)}
    assert seen_on_the_wan(wan, SPARED6) == {(PPP6, SPARED6), (SPARED6, PPP6)}
    if world.by == "tproxy":
        assert world.a.host.udp_greeting(NET6) == Greeting("net", saw=SVR6)
    else:
        assert world.a.host.udp_greeting(NET6) == Greeting("net", saw=PPP6)
    assert world.a.host.udp_greeting(SPARED6) == Greeting("spared", saw=PPP6)


def test_the_router_itself_is_not_intercepted_unless_the_site_says_so(world):
    assert world.a.router.greeting(NET) == Greeting("net", saw=PPP)


def test_hosts_inside_reach_each_other_and_the_router(world):
    assert world.a.host.greeting("10.10.10.5").host == "second-a"
    assert world.a.host.greeting("192.168.1.1").host == "router-a"
    world.a.host.ping(NET)


# --- natctl trace says so beforehand ---

#: How far a flow gets, as trace says and as real packets show.
PROXIED, BY_ITSELF, REFUSED = "taken by the tunnel", "goes by itself", "refused at once"


def told(world, source, destination, protocol="tcp", port=PORT):
    found = world.a.router.trace(source, destination, protocol, port)
    if found["fate"] == "tunnel":
        assert any(f"the proxy 127.0.0.1:{CLIENT} of [intercept]" in step["text"] for step in found["steps"]), found
        return PROXIED
    if found["fate"] == "refused":
        assert found["sender_sees"] == ("TCP reset" if protocol == "tcp" else "ICMP no route"), found
        return REFUSED
    assert found["fate"] in ("forwarded", "delivered"), found
    assert found["fate"] == "delivered" or found["out"], found
    return BY_ITSELF


def seen(world, machine, destination, protocol="tcp", port=PORT):
    """That the tunnel took it shows in who asks the far end, or, where the proxy's client itself dials, in its
    connections: the mark of those from the LAN is the tunnel's."""
    world.forget()
    try:
        with machine.dial(destination, port) if protocol == "tcp" else contextlib.nullcontext() as connection:
            told = Greeting.read(connection) if connection else machine.udp_greeting(destination, port)
    except ConnectionRefusedError:
        return REFUSED
    marks = world.marks(destination)
    assert marks in ([0], [TUNNEL_MARK], [0, TUNNEL_MARK]), marks
    if destination == NET:
        assert (told.saw == SVR) == (TUNNEL_MARK in marks), f"{told}, {marks}"
    return PROXIED if TUNNEL_MARK in marks else BY_ITSELF


SOURCES = {"host": "192.168.1.20", "second": "10.10.10.5", "router": "router"}


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("role", "destination"),
    [
        *itertools.product(SOURCES, (NET, DIRECT, SPARED)),
        ("host", "10.10.10.5"),
        ("router", "10.10.10.5"),
        ("second", "192.168.1.20"),
        ("host", "192.168.1.1"),
        ("router", "192.168.1.1"),
    ],
)
def test_trace_tells_what_becomes_of_a_flow(world, role, destination, protocol):
    source = SOURCES[role]
    machine = getattr(world.a, role)
    expected = told(world, source, destination, protocol)
    assert seen(world, machine, destination, protocol) == expected
    proxied = role != "router" and destination in (NET, DIRECT) and (protocol == "tcp" or world.by == "tproxy")
    assert expected == (PROXIED if proxied else BY_ITSELF)


def test_trace_tells_that_echo_is_not_intercepted(world):
    assert told(world, "192.168.1.20", NET, "icmp") == BY_ITSELF
    world.a.host.ping(NET)


def test_trace_tells_who_may_knock_at_the_listeners(world):
    """That of REDIRECT stands on all addresses and takes what was redirected alone; that of TPROXY on loopback."""
    for port in (12345, 12346):
        assert told(world, "192.168.1.20", "192.168.1.1", port=port) in (REFUSED, BY_ITSELF)
        assert world.a.host.refusal("192.168.1.1", port) == "refused"
    expected = REFUSED if world.by == "redirect" else BY_ITSELF
    assert told(world, "192.168.1.20", "192.168.1.1", port=12346) == expected


def test_trace_tells_what_is_spared_at_run_time(world):
    router = world.a.router
    router.run(*router.command("whitelist", "add", NET))
    assert told(world, "192.168.1.20", NET) == BY_ITSELF
    assert seen(world, world.a.host, NET) == BY_ITSELF
    router.run(*router.command("whitelist", "del", NET))
    assert told(world, "192.168.1.20", NET) == PROXIED
    assert seen(world, world.a.host, NET) == PROXIED


def test_trace_tells_what_happens_without_the_tunnel(world):
    world.a.router.tunnel.stop()
    expected = told(world, "192.168.1.20", NET)
    assert seen(world, world.a.host, NET) == expected
    assert told(world, "192.168.1.20", SPARED) == BY_ITSELF
    assert seen(world, world.a.host, SPARED) == BY_ITSELF
    if world.by == "tproxy":
        # The same for UDP: told at once, instead of going out unproxied.
        assert told(world, "192.168.1.20", NET, "udp") == REFUSED
        with Capture(world.a.router, "wan0") as wan, world.a.host.socket(kind=socket.SOCK_DGRAM) as asking:
            asking.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            asking.connect((NET, PORT))
            asking.send(b"who are you?")
            with pytest.raises(OSError, match="No route to host|Network is unreachable|Connection refused"):
                asking.recv(100)
        assert not seen_on_the_wan(wan, NET)
    world.a.router.start_tunnel()
    assert seen(world, world.a.host, NET) == PROXIED
    assert expected == REFUSED


def test_flows_that_were_open_go_on_as_they_are(lab):
    """Also the session in which somebody switches interception on."""
    world = World(lab)
    router = world.a.router
    router.apply(SITE)
    with world.a.host.dial(NET) as before, world.a.host.dial("192.168.1.1") as session:
        assert Greeting.read(before) == Greeting("net", saw=PPP)
        assert Greeting.read(session).host == "router-a"
        router.apply(intercept("local = true\nexcept_users = ['nobody']"))
        router.start_tunnel()
        world.start_proxy(as_user("nobody"))
        for connection in (before, session):
            connection.sendall(b"still here?")
            assert connection.recv(100) == b"still here?"
        assert world.a.host.greeting(NET) == Greeting("net", saw=SVR)
        router.down()
        for connection in (before, session):
            connection.sendall(b"and now?")
            assert connection.recv(100) == b"and now?"


# --- no loop: the proxy's own traffic, while all that the router sends is intercepted ---


def as_user(name):
    return ("setpriv", f"--reuid={name}", "--regid=nogroup", "--clear-groups")


def by_mark(world, _):
    # The marks of the site's own are somewhere else: 0x0f00.
    return intercept(f"local = true\nexcept_marks = ['{PROXY_MARK}/255']"), lambda: world.start_proxy(mark=PROXY_MARK)


def by_white_list(world, _):
    return intercept("local = true", white=[SVR, DIRECT]), world.start_proxy


def by_user(world, _):
    return intercept("local = true\nexcept_users = ['nobody']"), lambda: world.start_proxy(as_user("nobody"))


def by_cgroup(world, group):
    relative = str(Path(group).relative_to("/sys/fs/cgroup"))
    join = ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh")
    return intercept(f"local = true\nexcept_cgroups = ['{relative}']"), lambda: world.start_proxy(join)


@pytest.fixture
def group(lab):
    """A control group of version 2."""
    if not CGROUP_ROOTS:
        pytest.skip("this machine has no control groups of version 2")
    path = f"{CGROUP_ROOTS[0]}/{lab.name}"
    try:
        os.mkdir(path)
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    yield path
    for program in lab.programs:
        program.kill()
    eventually(lambda: not os.rmdir(path), what="the control group is empty")


@pytest.mark.parametrize("guard", [by_mark, by_white_list, by_user, by_cgroup], ids=lambda guard: guard.__name__)
def test_each_guard_alone_prevents_a_loop(lab, guard, group):
    world = World(lab)
    router = world.a.router
    text, start = guard(world, group)
    router.apply(text)
    router.start_tunnel()
    start()
    assert world.a.host.greeting(NET) == Greeting("net", saw=SVR)
    assert router.greeting(NET) == Greeting("net", saw=SVR)
    assert router.greeting(DIRECT) == Greeting("direct", saw=PPP)
    assert told(world, "router", NET) == PROXIED
    assert told(world, "router", SPARED) == (PROXIED if guard is by_white_list else BY_ITSELF)
    # In a loop there would be thousands within a second.
    few = lambda: len(world.tuples()) < 20
    always(few, seconds=0.5, what="few connections")
    assert not router.changes_pending()


def test_a_group_that_is_made_again_is_excepted_at_once(lab, group):
    """As that of a service that starts again is."""
    world = World(lab)
    router = world.a.router
    text, _ = by_cgroup(world, group)
    router.configure(text)
    router.keep_up()
    assert not router.changes_pending()
    for change in (os.rmdir, os.mkdir):
        change(group)
        # Long before everything is looked at once more.
        eventually(lambda: not router.changes_pending(), what="the agent has noticed")
