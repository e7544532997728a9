# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl-agent keeps up every kind of site, and can be killed at any time."""

import random
import threading
import time

import pytest

from natlab import Greeting, Lab, Socks, build_sites, eventually, exchange, linked_sites, microsocks
from natlab.embedding import MAP, PREFIX, carrying

SVR, NET, PPP = "198.51.100.50", "198.51.100.60", "198.51.100.1"
PROXIED, SPARED = Greeting("net", saw=SVR), Greeting("net", saw=PPP)


def keep(site):
    site.router.keep_up()


def flush(router):
    """What other programs have of rules stays."""
    others = router.ruleset("ip internet")
    router.run("nft", "flush", "ruleset")
    router.nft(others)


def test_sites_joined_by_a_proxy(lab):
    a, b = linked_sites(lab, Socks)
    for site in (a, b):
        keep(site)
        site.router.start_tunnel()
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        for site in (a, b):
            before = site.router.table_words(), site.router.policy()
            flush(site.router)
            site.router.run("ip", "route", "flush", "table", 7002)
            router = site.router
            eventually(lambda: (router.table_words(), router.policy()) == before, what="all is back")
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert a.host.greeting("240.2.2.20").host == "D"
    assert b.host.greeting("240.1.1.20").host == "C"


def test_a_site_with_a_prefix_that_carries_ipv4(lab):
    a, b = linked_sites(lab)
    text = a.router.toml.read_text()
    a.router.configure(text.replace('"fd01:2::/64"]', f'"fd01:2::/64", "{PREFIX}"]'))
    b.router.configure(b.router.toml.read_text() + MAP)
    for site in (a, b):
        keep(site)
    b.router.start_tunnel()
    assert a.host.greeting(carrying("10.10.10.5")).host == "second-b"
    flush(b.router)
    eventually(lambda: not b.router.changes_pending(), what="all is back")
    assert a.host.greeting(carrying("10.10.10.5")).host == "second-b"


class Proxied:
    """A LAN whose traffic goes through a proxy on another machine, so that NET sees who dialled."""

    def __init__(self, lab):
        self.site = build_sites(lab, "a")[0]
        router = self.site.router
        for label, address in (("svr", SVR), ("net", NET)):
            machine = lab.network.machine(label)
            lab.network.plug(machine, "eth0", "wan", f"{address}/24", via=["198.51.100.254"])
            if label == "svr":
                microsocks(machine, SVR, 1080, "a", "open sesame")
        password = router.secret("password", "open sesame\n")
        router.configure(
            f"""
site = "a"
lan  = ["lan0", "lan1"]

[[map]]
virtual = "240.1.1.0/24"
real    = "192.168.1.0/24"

[white_list]
endpoints  = ["{SVR}"]
interfaces = ["wan0"]

[intercept]
proxy = {{ socks5 = "{SVR}:1080", user = "a", password_file = "{password}" }}
protocols = "tcp"
local = true
"""
        )

    def seen(self):
        return self.site.host.greeting(NET)


def test_a_lan_whose_traffic_is_intercepted():
    with Lab() as lab:
        proxied = Proxied(lab)
        router = proxied.site.router
        keep(proxied.site)
        router.start_tunnel()
        assert proxied.seen() == PROXIED
        whitelist = router.command("whitelist", "--config", router.toml)
        router.run(*whitelist, "add", NET, "--timeout", "1h")
        assert proxied.seen() == SPARED
        flush(router)
        eventually(lambda: not router.changes_pending(), what="all is back")
        assert proxied.seen() == SPARED, "what was added at run time is back too"
        router.run(*whitelist, "del", NET)
        assert proxied.seen() == PROXIED

        # The address of the proxy's server changes, and that of the line.
        router.ip("address add 198.51.100.99/24 dev wan0")
        eventually(lambda: "198.51.100.99" in router.ruleset("inet natctl"), what="the white list follows")
        assert not router.changes_pending()


@pytest.mark.slow
def test_killed_at_any_time_while_everything_changes(sites):
    """For a minute: the agent is killed and started, others flush and delete, addresses come and go, and much data
    passes. Nothing of it is lost, and in the end all is as a fresh apply makes it."""
    a, b = sites
    router = a.router
    keep(a)
    before = router.table_words(), router.policy()
    chance = random.Random(7)
    end = time.monotonic() + 60
    moved = []

    def move():
        while time.monotonic() < end:
            moved.append(exchange(a.host, "240.2.2.20", b.host, 4).megabytes_each_way)

    mover = threading.Thread(target=move)
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        mover.start()
        kills = 0
        while time.monotonic() < end:
            kind = chance.randrange(4)
            if kind == 0:
                router.run("nft", "delete", "table", "inet", "natctl", check=False)
            elif kind == 1:
                router.run("ip", "route", "flush", "table", 7001, check=False)
            else:
                router.ip("address add 203.0.113.7/32 dev wan0", "address del 203.0.113.7/32 dev wan0")
            time.sleep(chance.random() * 0.3)
            router.agent.kill()
            kills += 1
            router.agent = router.start_agent()
        mover.join()
        assert kills > 5 and len(moved) > 1
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    eventually(lambda: (router.table_words(), router.policy()) == before, what="all is as before")
    router.agent.stop()
    router.down()
    router.apply()
    assert (router.table_words(), router.policy()) == before
