# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: our own tunnel, and the proxies that links go by."""

import socket

import pytest

from natlab import build_sites, microsocks, toml
from natlab.doctor import NO_FOREIGN, Fault, find, foreign, run, try_out
from natlab.greeter import PORT as GREETER

pytestmark = pytest.mark.xdist_group("doctor-proxies")


def start_own(a, _):
    a.router.start_tunnel()


def stop_own(a, _):
    a.router.tunnel.stop()


def limit_own(a, _):
    run(a.router, f"prlimit --pid {a.router.tunnel.pid} --nofile=256:256")


FAULTS = [
    Fault("tunnel not running", "tunnel", ["does not run"], [stop_own], command=False, by_hand=[start_own]),
    Fault(
        "tunnel killed",
        "tunnel",
        ["does not run"],
        [lambda a, _: a.router.tunnel.kill()],
        command=False,
        by_hand=[start_own],
    ),
    Fault("few descriptors", "tunnel-descriptors", ["256"], [limit_own], command=False, by_hand=[stop_own, start_own]),
    Fault(
        "proxy dead",
        "proxies",
        ["198.51.100.2:1080", "refused", "peer b"],
        [lambda _, b: b.router.tunnel.stop()],
        command=False,
        by_hand=[lambda _, b: b.router.start_tunnel()],
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


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_tunnel_or_a_proxy(proxied, fault):
    try_out(proxied, fault)


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
