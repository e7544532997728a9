# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl-agent follows interfaces and their addresses, as a PPP link changes them when it dials again.

ppp0 of router a is a cable whose far end is in the namespace of the switches.
"""

import json
import random
import time

import pytest

from natlab import eventually, netfilter

WHITE_LIST = """
[white_list]
interfaces = ["ppp0"]
"""


class Dialled:
    def __init__(self, sites):
        self.a, self.b = sites
        self.router = self.a.router
        self.far = self.router.lab.network.switches
        self.router.configure(self.router.toml.read_text() + WHITE_LIST)

    def dial(self, *addresses):
        """ppp0 comes up with these."""
        self.far.ip(f"link add pppoe type veth peer name ppp0 netns {self.router.name}", "link set pppoe up")
        self.router.ip("link set ppp0 up", *(f"address add {address} dev ppp0" for address in addresses))

    def hang_up(self):
        self.router.ip("link del ppp0")

    def white(self):
        return netfilter.elements(self.router, "white4") | netfilter.elements(self.router, "white6")

    def start(self):
        self.agent = self.router.keep_up()
        return self.agent

    def becomes(self, *addresses):
        self.agent.wait_until(lambda: self.white() == set(addresses), f"the white list holds {addresses}")


@pytest.fixture
def dialled(sites):
    return Dialled(sites)


def test_a_line_that_dials_again_has_its_new_address_on_the_white_list(dialled):
    dialled.dial("203.0.113.5 peer 203.0.113.1")
    dialled.start()
    dialled.becomes("203.0.113.5")
    with dialled.a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        for last in range(6, 12):
            dialled.hang_up()
            dialled.dial(f"203.0.113.{last} peer 203.0.113.1", f"2001:db8:{last}::1/64 nodad")
            dialled.becomes(f"203.0.113.{last}", f"2001:db8:{last}::1")
            flow.sendall(b"still there?")
            assert flow.recv(100) == b"still there?"
    dialled.hang_up()
    dialled.becomes()
    assert not dialled.router.changes_pending()


def test_an_ipv6_prefix_that_changes_is_followed(dialled):
    dialled.dial("2001:db8:1::1/64 nodad")
    dialled.start()
    dialled.becomes("2001:db8:1::1")
    # The new one comes before the former one goes; one that is not yet proven unique counts when it is.
    dialled.router.sysctl(net__ipv6__conf__ppp0__accept_dad=1)
    dialled.router.ip("address add 2001:db8:2::1/64 dev ppp0")
    dialled.becomes("2001:db8:1::1", "2001:db8:2::1")
    dialled.router.ip("address del 2001:db8:1::1/64 dev ppp0")
    dialled.becomes("2001:db8:2::1")


def test_the_lan_gets_another_address(dialled):
    """The source of what the router itself sends to peers, in routes of natctl's."""
    dialled.start()
    dialled.router.ip("address del 192.168.1.1/24 dev lan0", "address add 192.168.1.9/24 dev lan0")
    eventually(lambda: "src 192.168.1.9" in dialled.router.policy(), what="the routes name the new one")
    eventually(lambda: not dialled.router.changes_pending(), what="all is as it should be")
    assert dialled.router.greeting("240.2.2.20").saw == "240.1.1.9"


def test_a_link_that_goes_and_comes_again_under_its_name(dialled):
    """The interface that leads to peer b."""
    a, b = dialled.a, dialled.b
    agent = dialled.start()
    switches = dialled.far
    port = next(line.split()[1].split("@")[0] for line in switches.run("ip", "-o", "link", "show", "master", "overlay")
                .stdout.splitlines())
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        a.router.ip("link del ov0")
        eventually(lambda: "dev ov0" not in a.router.policy(), what="it is gone")
        assert a.host.refusal("240.2.2.20", 7) == "refused", "at once, not lost"
        switches.ip(
            f"link add {port} type veth peer name ov0 netns {a.router.name}",
            f"link set {port} master overlay up",
        )
        a.router.ip("link set ov0 up", "address add 172.31.0.1/24 dev ov0", "address add fd00:ff::1/64 dev ov0 nodad")
        agent.wait_until(lambda: not a.router.changes_pending(), "all is as before")
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert b.host.greeting("240.1.1.20").host == "C"


def test_a_storm_of_events_ends_in_what_a_fresh_apply_makes(dialled):
    dialled.dial("203.0.113.5/24")
    agent = dialled.start()
    lines = []
    for i in range(2000):
        address = f"10.77.{i % 7}.{i % 250}/32"
        lines += [f"address add {address} dev ppp0", f"address del {address} dev ppp0"]
    lines += [f"address add 10.78.0.{i}/32 dev ppp0" for i in random.sample(range(256), 20)]
    looks = lambda: json.loads(dialled.router.natctl("status", "--json").stdout)["agent"]["looks"]
    with dialled.a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        former, began = looks(), time.monotonic()
        dialled.router.ip(*lines)
        agent.wait_until(lambda: not dialled.router.changes_pending(), "it has caught up")
        # Between looks there are 10 ms at least, however long the storm takes.
        assert looks() - former <= 2 + (time.monotonic() - began) / 0.010
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    before = dialled.router.table_words(), dialled.router.policy()
    agent.stop("SIGKILL")
    dialled.router.down()
    dialled.router.apply()
    assert (dialled.router.table_words(), dialled.router.policy()) == before
