# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl-agent applies site.toml at its start and at SIGHUP, and traffic never depends on it.

    C --- [router a, natctl-agent] === ov0 === [router b] --- D
"""

import pytest

from natlab import eventually


def applied(router):
    """Whether the kernel holds what site.toml says."""
    assert not router.changes_pending()
    return True


def start(router):
    agent = router.start_agent()
    agent.wait_until(lambda: applied(router), "it has applied site.toml")
    return agent


def test_it_applies_at_its_start_and_stops_when_told(sites):
    a, _ = sites
    agent = start(a.router)
    assert a.host.greeting("240.2.2.20").host == "D"
    assert agent.running
    assert agent.stop("SIGTERM") == 0
    agent = start(a.router)
    assert agent.stop("SIGINT") == 0


def test_a_second_start_changes_nothing(sites):
    a, _ = sites
    start(a.router).stop()
    generation = a.router.nft_generation()
    start(a.router)
    assert a.router.nft_generation() == generation


def test_sighup_applies_an_edited_file(sites):
    a, _ = sites
    agent = start(a.router)
    a.router.configure(a.router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24"))
    assert a.router.changes_pending(), "nobody asked the agent to read it yet"

    agent.send("SIGHUP")

    eventually(lambda: applied(a.router), what="the agent has applied the edited file")
    assert "240.4.4.0/24" in a.router.ruleset("inet natctl")
    assert "240.2.2.0/24" not in a.router.ruleset("inet natctl")


def test_a_broken_file_keeps_the_former_state(sites):
    a, _ = sites
    agent = start(a.router)
    good = a.router.toml.read_text()
    before = a.router.ruleset("inet natctl"), a.router.policy()

    a.router.configure(good + "\nlan = lan7\n")
    agent.send("SIGHUP")

    eventually(lambda: "site.toml:" in agent.stderr, what="the agent complains, with file and line")
    assert agent.running
    assert (a.router.ruleset("inet natctl"), a.router.policy()) == before
    assert a.host.greeting("240.2.2.20").host == "D"

    a.router.configure(good.replace("240.2.10.0/24", "240.4.10.0/24"))
    agent.send("SIGHUP")
    eventually(lambda: applied(a.router), what="a good file is applied again")
    assert "240.4.10.0/24" in a.router.ruleset("inet natctl")


def test_it_does_not_start_with_a_broken_file(sites):
    a, _ = sites
    a.router.configure("site = \n")
    agent = a.router.start_agent()
    assert agent.wait() == 1
    assert "site.toml:1:" in agent.stderr
    assert "natctl" not in a.router.ruleset()


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_traffic_goes_on_without_it(sites, end):
    """Open flows and new ones, and a new agent takes over what the former left."""
    a, b = sites
    agent = start(a.router)
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        before = a.router.ruleset("inet natctl"), a.router.policy()

        agent.stop(end)

        assert (a.router.ruleset("inet natctl"), a.router.policy()) == before
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert a.host.greeting("240.2.2.20").host == "D"
    assert b.host.greeting("240.1.1.20").host == "C"
    start(a.router)
    assert (a.router.ruleset("inet natctl"), a.router.policy()) == before
