# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl-agent follows what names stand for, by their time to live, and keeps what it knew when nobody answers.

Router a asks a DNS server of its own (dnsmasq), whose records change.
"""

import pytest

from natlab import DEADLINE, Veth, always, build_sites, configure, eventually, netfilter
from natlab.dns import REFUSED, SERVFAIL, NameServer, failing_server

WHITE_LIST = """
[white_list]
endpoints = ["proxy.test", "alias.test", "203.0.113.9"]
"""
#: Seconds. Of an address that its name has lost.
GRACE = 2


class Named:
    def __init__(self, lab):
        a, b = build_sites(lab)
        configure([a, b], Veth(lab, [a, b], ipv6=False))
        self.router = a.router
        self.router.configure(self.router.toml.read_text() + WHITE_LIST)
        self.server = NameServer(self.router)

    def start(self):
        self.agent = self.router.keep_up("--name-grace", GRACE, under=self.server.under())
        return self.agent

    def white(self):
        """Addresses on the white list, those of the configuration left out."""
        found = netfilter.elements(self.router, "white4") | netfilter.elements(self.router, "white6")
        return found - {"203.0.113.9"}

    def becomes(self, *addresses):
        # When nobody has answered for a while, the agent waits up to 16 s before it asks again.
        self.agent.wait_until(lambda: self.white() == set(addresses), f"the white list holds {addresses}", 2 * DEADLINE)


@pytest.fixture
def named(lab):
    return Named(lab)


def test_the_white_list_follows_a_record_and_no_moment_is_without(named):
    named.server.records(proxy=["198.18.7.7", "198.18.7.6", "2001:db8:7::7"])
    named.start()
    # nft joins what is side by side.
    named.becomes("198.18.7.6/31", "2001:db8:7::7")
    seen = []
    named.server.records(proxy=["198.18.8.8"])
    eventually(lambda: seen.append(named.white()) or "198.18.8.8" in seen[-1], what="the new address is there")
    assert all("198.18.7.6/31" in found for found in seen), "the former ones stay for a while"
    named.becomes("198.18.8.8")
    assert "proxy.test is 198.18.8.8 now" in named.agent.stderr
    # What natctl itself would do is the same.
    assert not named.router.changes_pending()
    named.router.apply()
    assert named.white() == {"198.18.8.8"}


def test_the_new_address_is_there_before_the_former_one_goes(named):
    """By what the kernel tells of each commit, so that no moment is missed."""
    named.server.records(proxy=["198.18.7.7"])
    named.start()
    named.becomes("198.18.7.7")
    told = named.router.start("nft-monitor", "stdbuf", "-oL", "nft", "monitor")

    def is_heard():
        named.router.run("nft", "add table inet probe; delete table inet probe")
        return "probe" in told.stdout

    eventually(is_heard, what="nft listens")
    named.server.records(proxy=["198.18.8.8"])
    named.becomes("198.18.8.8")
    lines = lambda: [line for line in told.stdout.splitlines() if " white4 " in line]
    told.wait_until(lambda: any(line.startswith("delete ") for line in lines()), "nft has told of the end")
    words = [line.split()[0] for line in lines() if "198.18." in line]
    assert words == ["add", "delete"], told.stdout


def test_without_an_answer_it_keeps_what_it_knew(named):
    named.server.records(proxy=["198.18.7.7"])
    named.start()
    named.becomes("198.18.7.7")

    named.server.records()
    eventually(lambda: "proxy.test does not resolve (Domain name not found)" in named.agent.stderr, what="NXDOMAIN")
    always(lambda: named.white() == {"198.18.7.7"}, GRACE + 1)

    named.server.stop()
    # Started anew, without anybody to ask.
    named.agent.stop("SIGKILL")
    named.start()
    eventually(lambda: "proxy.test does not resolve (Could not contact" in named.agent.stderr, what="nobody answers")
    assert named.white() == {"198.18.7.7"}
    assert named.agent.stderr.count("proxy.test does not resolve") == 2, "once each time"

    named.server.start()
    named.server.records(proxy=["198.18.9.9"])
    named.becomes("198.18.9.9")
    eventually(lambda: "proxy.test resolves again" in named.agent.stderr, what="it says so")


@pytest.mark.parametrize("code", [SERVFAIL, REFUSED])
def test_a_server_that_fails_is_no_reason_to_forget(named, code):
    named.server.records(proxy=["198.18.7.7"])
    named.start()
    named.becomes("198.18.7.7")
    named.server.stop()
    with failing_server(named.router, code) as clients:
        # c-ares does not tell a server that fails from one that is not there.
        eventually(lambda: "proxy.test does not resolve" in named.agent.stderr and len(clients) > 4, what="it asks on")
        always(lambda: named.white() == {"198.18.7.7"}, GRACE + 1)
    named.server.start()
    named.server.records(proxy=["198.18.9.9"])
    named.becomes("198.18.9.9")


def test_a_name_that_comes_later(named):
    """The agent starts before the network does, which happens at boot."""
    named.server.stop()
    named.start()
    eventually(lambda: "it is not on the white list yet" in named.agent.stderr, what="nothing is known")
    assert named.white() == set()
    named.server.start()
    named.server.records(proxy=["198.18.7.7"])
    named.becomes("198.18.7.7")

    named.router.configure(named.router.toml.read_text().replace('"proxy.test"', '"proxy.test", "second.test"'))
    named.server.records(proxy=["198.18.7.7"], second=["198.18.9.9"])
    named.becomes("198.18.7.7", "198.18.9.9")
    named.router.configure(named.router.toml.read_text().replace('"proxy.test", ', "").replace('"alias.test", ', ""))
    named.becomes("198.18.9.9")


def test_ipsets_follow_as_well(named):
    router = named.router
    probe = router.run("ipset", "list", "-n", check=False)
    if probe.code != 0:
        pytest.skip(f"this kernel has no ipsets: {probe.stderr.strip()}")
    router.configure(router.toml.read_text() + 'ipset = "white_list"\n')
    named.server.records(proxy=["198.18.7.7"])
    named.start()

    def holds(address):
        return router.run("ipset", "test", "white_list", address, check=False).code == 0

    eventually(lambda: holds("198.18.7.7"), what="it is made")
    named.server.records(proxy=["198.18.8.8"])
    eventually(lambda: holds("198.18.8.8") and not holds("198.18.7.7"), what="it follows")
