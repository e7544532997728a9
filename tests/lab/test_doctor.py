# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: it finds nothing in a healthy site and changes nothing, and it names every fault that is seeded.

Each fault is seeded alone. Doctor has to name it by the right check, in words that say what and where. Then the
commands that it prints are run as they stand; what people have to do by hand comes after that. In the end it finds
nothing again.
"""

import json
import os
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from natlab import Lab, Socks, Veth, WireGuardMesh, build_sites, configure, eventually, microsocks, toml
from natlab.greeter import PORT as GREETER

DONE, FAILED = 0, 1
SECONDS = 2


def diagnose(router, *options):
    """All findings, and the time it took."""
    result = router.natctl("doctor", "--json", "--all", *options, check=False)
    answer = json.loads(result.stdout)
    errors = [finding for finding in answer["findings"] if finding["severity"] == "error"]
    assert result.code == (FAILED if errors else DONE), str(result)
    assert answer["ok"] == (not errors)
    return answer["findings"]


def serious(findings):
    return [finding for finding in findings if finding["severity"] in ("error", "warning")]


def run(router, line, check=True):
    """As an administrator types it."""
    path = f"{router.lab.binaries}:{os.environ['PATH']}:/usr/sbin:/sbin"
    return router.run("sh", "-c", line, env={"PATH": path}, check=check)


def assert_healthy(router):
    assert serious(diagnose(router)) == []


@dataclass
class Fault:
    """`seed` and `by_hand`: lines for the shell, or functions of the site."""

    name: str
    #: The check that has to find it, and words that it has to say.
    check: str
    words: list
    seed: list
    #: The command that mends it is printed.
    command: bool = True
    #: What no printed command can do.
    by_hand: list = field(default_factory=list)

    def __str__(self):
        return self.name


def do(site, steps):
    for step in steps:
        step(site) if callable(step) else run(site.router, step)


def try_out(site, fault):
    router = site.router
    assert_healthy(router)
    do(site, fault.seed)
    try:
        found = [finding for finding in serious(diagnose(router)) if finding["check"] == fault.check]
        assert found, f"not found: {serious(diagnose(router))}"
        said = " ".join(" ".join(finding.values()) for finding in found)
        assert all(word in said for word in fault.words), said
        assert all(finding.get("command") or finding.get("advice") for finding in found), found
        assert all(finding["why"] for finding in found), found
        if fault.command:
            assert any("command" in finding for finding in found), found
            # Several rounds: an interface that comes up has lost its routes.
            for _ in range(4):
                commands = {finding["command"]: None for finding in serious(diagnose(router)) if "command" in finding}
                for command in commands:
                    # What people have to do first may still be missing.
                    run(router, command, check=not fault.by_hand)
                if not commands:
                    break
        if fault.command and not fault.by_hand:
            assert_healthy(router)
    finally:
        do(site, fault.by_hand)
    if any(finding["check"] in ("table", "routes", "policy-rules") for finding in serious(diagnose(router))):
        router.apply()
    assert_healthy(router)


def foreign(rules, hook="forward", kind="filter", priority="0", policy="accept", family="inet"):
    """A firewall of somebody else's with one chain, and the line that loads it."""
    body = f"type {kind} hook {hook} priority {priority}; policy {policy}; {rules};"
    return f"nft 'table {family} foreign {{ chain guard {{ {body} }}; }}'"


NO_FOREIGN = ["nft delete table inet foreign 2>/dev/null || nft delete table ip foreign"]

DEV_FAULTS = [
    Fault("IPv4 forwarding off", "forwarding4", ["does not forward IPv4"], ["sysctl -qw net.ipv4.ip_forward=0"]),
    Fault(
        "IPv6 forwarding off",
        "forwarding6",
        ["does not forward IPv6"],
        ["sysctl -qw net.ipv6.conf.all.forwarding=0"],
    ),
    Fault(
        "one interface does not forward",
        "interface-forwarding",
        ["lan0"],
        ["sysctl -qw net.ipv4.conf.lan0.forwarding=0"],
    ),
    Fault("127.0.0.1 open to the LAN", "route-localnet", ["lan0"], ["sysctl -qw net.ipv4.conf.lan0.route_localnet=1"]),
    Fault(
        "IPv6 off on the LAN",
        "ipv6",
        ["lan0", "switched off"],
        ["sysctl -qw net.ipv6.conf.lan0.disable_ipv6=1"],
        by_hand=["ip address add fd00:a::1/64 dev lan0 nodad"],
    ),
    Fault(
        "connections forgotten early",
        "conntrack-timeout",
        ["600 s"],
        ["sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=600"],
    ),
    Fault(
        "forward chain with policy drop",
        "firewall",
        ["chain guard of table inet foreign", "policy", "lan0", "ov0"],
        [foreign("ct state established,related accept", policy="drop")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "forward chain that lets only the WAN pass",
        "firewall",
        ["chain guard", "policy"],
        [
            foreign(
                "ct state vmap { established : accept, related : accept, invalid : drop }; "
                'iifname { "lan0", "lan1" } oifname "wan0" accept',
                policy="drop",
            )
        ],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "forward rule that drops the peer",
        "firewall",
        ["rule with handle", "peer b"],
        [foreign("ip daddr 240.2.2.0/24 counter drop", family="ip")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "forward rule that rejects, in a chain of its own",
        "firewall",
        ["chain not_there"],
        ["nft 'table inet foreign { chain not_there { ip daddr @bogons reject; }; "
         "set bogons { type ipv4_addr; flags interval; elements = { 224.0.0.0/3 }; }; "
         "chain guard { type filter hook forward priority 0; jump not_there; }; }'"],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "a list of bogons before routing",
        "firewall",
        ["chain guard", "peer b by ov0"],
        [foreign("ip saddr { 10.0.0.0/8, 240.0.0.0/4 } drop", hook="prerouting", priority="-300")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "a masquerade before ours",
        "foreign-nat",
        ["priority 80", "translates", "ov0"],
        [foreign("masquerade", kind="nat", hook="postrouting", priority="80")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "a dnat that takes what is for the peer",
        "foreign-nat",
        ["translates", "lan0"],
        [foreign('iifname "lan0" dnat to 192.168.1.20', kind="nat", hook="prerouting", priority="-100", family="ip")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "somebody sets our bits of the mark",
        "marks",
        ["0x00000f00", "chain guard"],
        [foreign("ip protocol tcp meta mark set 0x100", hook="prerouting", priority="-160")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "a policy rule among ours",
        "foreign-rules",
        ["pref 6003"],
        ["ip rule add pref 6003 to 10.99.0.0/16 lookup 254"],
    ),
    Fault(
        "a policy rule before ours",
        "rules-before",
        ["pref 5000", "0.0.0.0/0", "peer b"],
        ["ip rule add pref 5000 lookup main"],
    ),
    Fault(
        "a policy rule by our mark",
        "rules-by-mark",
        ["pref 10000", "0x200"],
        ["ip rule add pref 10000 fwmark 0x200 lookup 100"],
    ),
    Fault(
        "a route in our table",
        "foreign-routes",
        ["240.9.9.0/24", "7000"],
        ["ip route add 240.9.9.0/24 dev ov0 table 7000"],
    ),
    Fault("table flushed", "table", ["not there"], ["nft delete table inet natctl"]),
    Fault("chain flushed", "table", ["chain guard"], ["nft flush chain inet natctl guard"]),
    Fault(
        "somebody else's element",
        "table",
        ["set peer4"],
        ["nft 'add element inet natctl peer4 { 240.7.7.0/24 }'"],
    ),
    Fault("policy rule gone", "policy-rules", ["missing", "7003"], ["ip rule del pref 6005"]),
    Fault("route gone", "routes", ["missing", "240.2.2.0/24"], ["ip route del 240.2.2.0/24 table 7000"]),
    Fault(
        "link down",
        "links",
        ["ov0", "down", "peer b"],
        ["ip link set ov0 down"],
        by_hand=["ip address add fd00:ff::1/64 dev ov0 nodad"],
    ),
    Fault(
        "link gone",
        "links",
        ["ov0", "does not exist"],
        ["ip link set ov0 down", "ip link set ov0 name ov9"],
        command=False,
        by_hand=[
            "ip link set ov9 name ov0",
            "ip link set ov0 up",
            "ip address add fd00:ff::1/64 dev ov0 nodad",
        ],
    ),
    Fault(
        "LAN down",
        "lan",
        ["lan0", "down"],
        ["ip link set lan0 down"],
        by_hand=["ip address add fd00:a::1/64 dev lan0 nodad"],
    ),
    Fault(
        "router without LAN address",
        "lan-address",
        ["IPv4"],
        ["ip address del 192.168.1.1/24 dev lan0", "ip address del 10.10.10.10/24 dev lan1"],
        command=False,
        by_hand=["ip address add 192.168.1.1/24 dev lan0", "ip address add 10.10.10.10/24 dev lan1"],
    ),
    Fault(
        "gateway out of reach",
        "gateways",
        ["172.31.0.2", "ov0"],
        ["ip address del 172.31.0.1/24 dev ov0"],
        command=False,
        by_hand=["ip address add 172.31.0.1/24 dev ov0"],
    ),
    Fault(
        "WAN address inside a real prefix",
        "outside-address",
        ["192.168.1.77", "wan0"],
        ["ip address add 192.168.1.77/32 dev wan0"],
        command=False,
        by_hand=["ip address del 192.168.1.77/32 dev wan0"],
    ),
    Fault(
        "own virtual address on an interface",
        "own-virtual",
        ["240.1.1.1", "lan0"],
        ["ip address add 240.1.1.1/32 dev lan0"],
    ),
    Fault(
        "the peer's address on an interface",
        "duplicate-site",
        ["240.2.2.9", "peer b"],
        ["ip address add 240.2.2.9/32 dev wan0"],
    ),
    Fault(
        "link too small for IPv6",
        "mtu",
        ["ov0", "1200"],
        ["ip link set ov0 mtu 1200"],
        by_hand=[
            "ip address replace fd00:ff::1/64 dev ov0 nodad",
            "ip link set ov0 mtu 1500",
        ],
    ),
    Fault(
        "site.toml open to all",
        "configuration-file",
        ["site.toml"],
        [lambda site: site.router.toml.chmod(0o666)],
    ),
    Fault(
        "state open to all",
        "directories",
        ["state"],
        [lambda site: site.router.state_dir.chmod(0o777)],
    ),
    Fault(
        "a file in the place of a directory",
        "directories",
        ["run", "no directory"],
        [
            lambda site: site.router.run_dir.rename(site.router.directory / "former"),
            lambda site: site.router.run_dir.touch(),
        ],
    ),
    Fault(
        "a mistake in site.toml",
        "configuration",
        ["line 2", "lan"],
        [lambda site: site.router.configure(site.router.toml.read_text().replace("lan  =", "lann ="))],
        command=False,
        by_hand=[lambda site: site.router.configure(site.router.toml.read_text().replace("lann =", "lan  ="))],
    ),
    Fault(
        "a name that does not resolve",
        "names",
        ["nobody.invalid"],
        [
            lambda site: site.router.apply(
                site.router.toml.read_text() + '\n[white_list]\nendpoints = ["nobody.invalid"]\n'
            )
        ],
        command=False,
        by_hand=[lambda site: site.router.apply(site.router.toml.read_text().partition("\n[white_list]")[0])],
    ),
]


@pytest.fixture(scope="module")
def dev():
    with Lab() as lab:
        a, b = build_sites(lab)
        configure([a, b], Veth(lab, [a, b]))
        for site in (a, b):
            site.router.apply()
        yield a


@pytest.mark.xdist_group("doctor-dev")
def test_a_healthy_site_is_healthy_and_stays_as_it_is(dev):
    router = dev.router
    before = router.nft_generation(), router.ruleset(), router.policy()
    result = router.natctl("doctor", "--json", "--all")
    answer = json.loads(result.stdout)
    assert answer["checks"] >= 25 and serious(answer["findings"]) == [], str(result)
    assert result.seconds < SECONDS, f"{result.seconds} s"
    assert before == (router.nft_generation(), router.ruleset(), router.policy())


@pytest.mark.xdist_group("doctor-dev")
def test_people_see_errors_first_and_commands(dev):
    router = dev.router
    router.sysctl(net__ipv4__ip_forward=0)
    result = router.natctl("doctor", check=False)
    router.sysctl(net__ipv4__ip_forward=1)
    lines = result.stdout.splitlines()
    assert result.code == FAILED and lines[0].startswith("error") and "forwarding4" in lines[0]
    assert any(line.strip() == "run:  sysctl -w net.ipv4.ip_forward=1" for line in lines)
    assert not any(line.startswith("ok") for line in lines)
    assert any(line.startswith("ok") for line in router.natctl("doctor", "--all").stdout.splitlines())


@pytest.mark.xdist_group("doctor-dev")
def test_without_a_site_the_machine_is_looked_at(dev):
    result = dev.router.run(dev.router.lab.program("natctl"), "doctor", "/nowhere/site.toml", "--json", check=False)
    answer = json.loads(result.stdout)
    assert result.code == FAILED
    assert [finding["check"] for finding in serious(answer["findings"])] == ["configuration"]


@pytest.mark.xdist_group("doctor-dev")
@pytest.mark.parametrize("fault", DEV_FAULTS, ids=str)
def test_a_fault_of_a_site_with_an_interface_link(dev, fault):
    try_out(dev, fault)


# --- links by proxies ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proxied():
    with Lab() as lab:
        a, b = build_sites(lab)
        configure([a, b], Socks(lab, [a, b]))
        for site in (a, b):
            site.router.apply()
            site.router.tunnel = site.router.start_tunnel()
        a.other = b
        yield a


def start(site):
    site.router.tunnel = site.router.start_tunnel()


def stop(site):
    site.router.tunnel.stop()


def restart(site):
    stop(site)
    start(site)


def limit(site):
    pid = site.router.tunnel.pid
    run(site.router, f"prlimit --pid {pid} --nofile=256:256")


PROXY_FAULTS = [
    Fault("tunnel not running", "tunnel", ["does not run"], [stop], command=False, by_hand=[start]),
    Fault(
        "tunnel killed",
        "tunnel",
        ["does not run"],
        [lambda site: site.router.tunnel.kill()],
        command=False,
        by_hand=[start],
    ),
    Fault("few descriptors", "tunnel-descriptors", ["256"], [limit], command=False, by_hand=[restart]),
    Fault(
        "proxy dead",
        "proxies",
        ["198.51.100.2:1080", "refused", "peer b"],
        [lambda site: stop(site.other)],
        command=False,
        by_hand=[lambda site: start(site.other)],
    ),
    Fault(
        "ports of outgoing connections",
        "port-range",
        ["12345"],
        ["sysctl -qw net.ipv4.ip_local_port_range='1024 65535'"],
    ),
    Fault(
        "input chain that drops intercepted flows",
        "firewall",
        ["lan0", "by the tunnel"],
        [foreign('iifname "wan0" accept; iifname "lo" accept', hook="input", policy="drop")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "input chain that drops the listener's clients",
        "firewall",
        ["listener 198.51.100.1:1080"],
        [foreign("tcp dport { 22, 1080 } reject", hook="input")],
        by_hand=NO_FOREIGN,
    ),
    Fault(
        "output chain that drops the way to the proxy",
        "firewall",
        ["to the proxy 198.51.100.2:1080"],
        [foreign("ip daddr 198.51.100.2 tcp dport 1080 drop", hook="output")],
        by_hand=NO_FOREIGN,
    ),
]


@pytest.mark.xdist_group("doctor-proxied")
@pytest.mark.parametrize("fault", PROXY_FAULTS, ids=str)
def test_a_fault_of_a_site_with_a_proxy(proxied, fault):
    try_out(proxied, fault)


def find(router, check):
    return [finding for finding in serious(diagnose(router)) if finding["check"] == check]


@pytest.mark.xdist_group("doctor-proxied")
def test_what_a_proxy_answers(lab):
    """No SOCKS5, nothing at all, guests refused, a wrong password, the right one, a password that others may read."""
    a, b = build_sites(lab)
    router = a.router

    def by(endpoint, more=""):
        router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "{endpoint}"{more} }}'))
        return find(router, "proxies")

    [said] = by(f"198.51.100.2:{GREETER}")
    assert "does not speak SOCKS5" in said["what"]

    with b.router.inside():
        mute = socket.create_server(("198.51.100.2", 1081))
    with mute:
        [said] = by("198.51.100.2:1081")
        assert "says nothing" in said["what"]

    microsocks(b.router, "198.51.100.2", 1080, "a", "right")
    [said] = by("198.51.100.2:1080")
    assert "wants a user and a password" in said["what"]
    secret = router.secret("b.password", "wrong\n")
    more = f', user = "a", password_file = "{secret}"'
    [said] = by("198.51.100.2:1080", more)
    assert "refuses user a" in said["what"] and str(secret) in said["advice"]
    secret.write_text("right\n")
    assert by("198.51.100.2:1080", more) == []

    secret.chmod(0o644)
    [said] = find(router, "configuration")
    assert "0644" in said["what"]
    run(router, said["command"])
    assert find(router, "configuration") == []


@pytest.mark.xdist_group("doctor-proxied")
def test_doors_that_stand_open(lab):
    """A proxy that natctl needs on 127.0.0.1 alone, and a listener of our own, on every address."""
    a, b = build_sites(lab)
    a.router.configure(toml.site(a) + toml.peer(b, '{ socks5 = "127.0.0.1:1080" }'))
    open_one = microsocks(a.router, "0.0.0.0", 1080, "a", "b")
    [said] = find(a.router, "proxy-exposure")
    assert "peer b" in said["what"]
    open_one.stop()
    microsocks(a.router, "127.0.0.1", 1080, "a", "b")
    assert find(a.router, "proxy-exposure") == []

    secret = a.router.secret("own.password", "x\n")
    a.router.configure(toml.site(a) + toml.listener("0.0.0.0:1090", user="b", password_file=secret))
    [said] = find(a.router, "listeners")
    assert "0.0.0.0:1090" in said["what"]


@pytest.mark.xdist_group("doctor-dev")
def test_a_bridge_and_a_second_link(lab):
    a, b = build_sites(lab)
    router = a.router
    router.ip(
        "link add br0 type bridge",
        "link add port0 type veth peer name far0",
        "link set port0 master br0 up",
        "link set far0 up",
        "link set br0 up",
        "link add ov0 type veth peer name far1",
        "link set far1 up",
        "link set ov0 up",
        "link add ov1 type veth peer name far2",
        "link set far2 up",
        "link set ov1 up",
    )
    router.sysctl(**{"net__bridge__bridge-nf-call-iptables": 1})
    text = toml.site(a).replace('["lan0", "lan1"]', '["lan0", "lan1", "br0"]')
    router.apply(text + toml.peer(b, '[{ dev = "ov0" }, { dev = "ov1" }]'))
    [bridge] = find(router, "bridge-netfilter")
    assert "br0" in bridge["what"]
    run(router, bridge["command"])
    assert find(router, "bridge-netfilter") == []

    router.sysctl(net__ipv4__conf__ov0__rp_filter=1, net__ipv4__conf__ov1__rp_filter=1)
    strict = find(router, "reverse-path")
    assert {"ov0", "ov1"} == {finding["what"].split()[5] for finding in strict}
    for finding in strict:
        run(router, finding["command"])
    assert find(router, "reverse-path") == []


@pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="wireguard-go needs /dev/net/tun")
@pytest.mark.xdist_group("doctor-wireguard")
def test_what_wireguard_lets_through(lab):
    a, b = build_sites(lab)
    mesh = WireGuardMesh(lab, [a, b])
    configure([a, b], mesh)
    a.router.apply()
    # The control socket lies in a mount namespace of its own.
    mounts = f"--mount=/proc/{mesh.ends['a']._program.pid}/ns/mnt"

    def allowed():
        result = a.router.run(
            "nsenter", mounts, lab.program("natctl"), "doctor", a.router.toml, "--json", *a.router._places, check=False
        )
        return [finding for finding in json.loads(result.stdout)["findings"] if finding["check"] == "wireguard"]

    assert allowed() == []
    mesh.ends["a"].add_peer(mesh.ends["b"], b.wan, [b.prefix])
    [said] = allowed()
    assert b.second_prefix in said["what"] and b.prefix6 in said["what"] and b.prefix not in said["what"]
    a.router.run("nsenter", mounts, "sh", "-c", said["command"])
    assert allowed() == []
