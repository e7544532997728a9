# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer with two proxies: new flows leave the first alone while it is dead, and take it again when it answers.

    C --- [router a: natctl-tunnel] === socks5 :1080 (natctl-tunnel b) and :1081 (microsocks) === [router b] --- D
"""

import pytest

from natlab import Greeting, Lab, eventually, toml
from natlab.servers import microsocks
from natlab.site import build_sites

FIRST, SECOND = 1080, 1081
#: Long enough for a proxy that answers nothing, and for the pauses between probes.
PATIENCE = 90


@pytest.fixture
def pair():
    with Lab() as lab:
        a, b = build_sites(lab)
        password = a.router.secret("b.password", "open sesame\n")
        first = f'{{ socks5 = "{b.wan}:{FIRST}" }}'
        second = f'{{ socks5 = "{b.wan}:{SECOND}", user = "a", password_file = "{password}" }}'
        a.router.configure(toml.site(a) + toml.peer(b, f"[{first}, {second}]"))
        b.router.configure(toml.site(b) + toml.listener(f"{b.wan}:{FIRST}", allow=[f"{a.wan}/32"]))
        for site in (a, b):
            site.router.apply()
            site.router.start_tunnel()
        b.second_proxy = microsocks(b.router, b.wan, SECOND, "a", "open sesame")
        yield a, b


def greet(a, b):
    assert a.host.greeting(b.virtual(20)) == Greeting(host=b.host.label, saw="192.168.1.1")


def lines(a, words):
    return a.router.tunnel.stderr.count(words)


def wait_for_line(a, words):
    eventually(lambda: lines(a, words), PATIENCE, f"the tunnel says {words!r}")


def asked_first(a):
    """How often the tunnel connected to the first proxy, as long as conntrack remembers."""
    listed = a.router.run("conntrack", "-L", "-p", "tcp", "--orig-port-dst", FIRST, quiet=True).stdout
    return len(listed.splitlines())


def served_second(b):
    return b.second_proxy.stderr.count("connected to")


def test_a_proxy_that_is_gone_is_left_alone_until_it_is_back(pair):
    a, b = pair
    greet(a, b)
    assert served_second(b) == 0
    b.router.tunnel.kill()

    greet(a, b)
    assert lines(a, f"socks5 {b.wan}:{FIRST} is down: cannot connect to the proxy") == 1
    before = asked_first(a)
    for _ in range(20):
        greet(a, b)
    assert served_second(b) == 21
    assert asked_first(a) < before + 10, "no more than probes"

    b.router.start_tunnel()
    wait_for_line(a, f"socks5 {b.wan}:{FIRST} answers again")
    greet(a, b)
    assert served_second(b) == 21


def test_a_proxy_that_answers_nothing_is_found_out_without_any_flow(pair):
    a, b = pair
    b.router.tunnel.send("SIGSTOP")
    try:
        wait_for_line(a, f"socks5 {b.wan}:{FIRST} is down: the proxy did not answer in time")
        greet(a, b)
        assert served_second(b) == 1
    finally:
        b.router.tunnel.send("SIGCONT")
    wait_for_line(a, f"socks5 {b.wan}:{FIRST} answers again")
    greet(a, b)
    assert served_second(b) == 1


def test_a_new_configuration_remembers_what_is_down(pair):
    a, b = pair
    b.router.tunnel.kill()
    greet(a, b)
    a.router.tunnel.send("SIGHUP")
    wait_for_line(a, "reloaded")
    greet(a, b)
    assert lines(a, "is down") == 1
