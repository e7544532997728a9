# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that come with natctl, under a systemd that runs: with the sandbox, the rights and the limits that they
state.

    C --- [router a: systemd -> natctl-agent, natctl-tunnel] --- SOCKS5 over the WAN --- [router b] --- D
"""

import re

import pytest

from natlab import Greeting, Socks, build_sites, configure, eventually, exchange, linked_sites, netfilter
from natlab.systemd import EXAMPLES, Systemd

#: linux/capability.h
NET_BIND_SERVICE, NET_ADMIN, NET_RAW = 1 << 10, 1 << 12, 1 << 13
AGENT, TUNNEL = "natctl-agent", "natctl-tunnel"


@pytest.fixture
def sites(lab):
    a, b = build_sites(lab)
    configure([a, b], Socks(lab, [a, b]))
    b.router.apply()
    b.router.start_tunnel()
    return a, b


@pytest.fixture
def services(sites):
    """Of router a, which has its configuration; nothing is started."""
    a, _ = sites
    systemd = Systemd(a.router)
    systemd.configure(a.router.toml.read_text() + '\n[white_list]\ninterfaces = ["wan0"]\n')
    yield systemd
    for service in (AGENT, TUNNEL):
        systemd.journal(service)


def hears(a):
    return eventually(lambda: a.host.greeting("240.2.2.20"), what="C reaches D") == Greeting("D", saw="192.168.1.1")


def test_agent_and_tunnel_do_their_work_in_their_sandboxes(sites, services):
    a, b = sites
    services.systemctl("start", AGENT, TUNNEL)
    assert hears(a)
    exchange(a.host, "240.2.2.20", b.host, megabytes=1)
    a.router.ip("address add 198.51.100.77/32 dev wan0")
    eventually(lambda: "198.51.100.77" in netfilter.elements(a.router, "white4"), what="the new address is white")

    assert services.show(AGENT, "StatusText") == "keeps site a"
    assert "site a: in place, as site.toml says" in services.run("natctl", "status").stdout
    for service, rights in ((AGENT, NET_ADMIN | NET_RAW), (TUNNEL, NET_ADMIN | NET_RAW | NET_BIND_SERVICE)):
        status = services.status_of(service)
        assert int(status["CapEff"], 16) == rights
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
        assert services.show(service, "NRestarts") == "0"


def test_a_reload_takes_the_configuration_anew(sites, services):
    a, _ = sites
    services.systemctl("start", AGENT, TUNNEL)
    assert hears(a)
    before = services.process(AGENT), services.process(TUNNEL)
    services.configure(a.router.toml.read_text().replace(a.virtual(200), a.virtual(201)))
    services.systemctl("reload", AGENT, TUNNEL)
    eventually(lambda: a.virtual(201) in a.router.ruleset("inet natctl"), what="the new name is in the table")
    assert hears(a)

    services.configure("nonsense")
    services.systemctl("reload", AGENT, TUNNEL)
    for service in (AGENT, TUNNEL):
        eventually(lambda service=service: services.journal(service, "err"), what=f"{service} says what is wrong")
    assert hears(a)
    assert (services.process(AGENT), services.process(TUNNEL)) == before
    # The journal has the time and the level of a line by itself.
    assert any(line.startswith("applied /etc/natctl/site.toml: ") for line in services.journal(AGENT).splitlines())


def test_what_dies_is_started_again_and_the_table_stays(sites, services):
    a, _ = sites
    services.systemctl("start", AGENT, TUNNEL)
    assert hears(a)
    generation = a.router.nft_generation()
    for service in (AGENT, TUNNEL):
        former = services.process(service)
        services.systemctl("kill", "--signal=KILL", service)
        services.comes_back(service, former)
        assert hears(a)
    assert a.router.nft_generation() == generation


@pytest.mark.parametrize("service", [AGENT, TUNNEL])
def test_one_that_hangs_is_found_out(sites, services, service):
    a, _ = sites
    services.drop_in(service, "impatient", "[Service]\nWatchdogSec=5\nTimeoutAbortSec=1\n")
    services.systemctl("start", AGENT, TUNNEL)
    assert hears(a)
    former = services.process(service)
    services.systemctl("kill", "--signal=STOP", service)
    services.comes_back(service, former)
    assert hears(a)


def test_a_group_may_ask_the_agent(sites, services):
    a, _ = sites
    # Of Debian's; to make one would change the machine.
    group = "daemon"
    example = (EXAMPLES / "natctl-agent-group.conf").read_text()
    services.drop_in(AGENT, "group", re.sub(r"\bnatctl$", group, example, flags=re.MULTILINE))
    services.systemctl("start", AGENT, TUNNEL)
    assert hears(a)
    member = ("setpriv", "--reuid=65534", f"--regid={group}", "--clear-groups")
    services.run(*member, "natctl", "whitelist", "add", "203.0.113.0/24")
    assert "203.0.113.0/24" in netfilter.elements(a.router, "white_now4")
    stranger = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    assert services.run(*stranger, "natctl", "whitelist", "del", "203.0.113.0/24", check=False).code == 1
    eventually(lambda: "user 65534 put 203.0.113.0/24" in services.journal(AGENT), what="the journal says who it was")


def test_stopping_the_services_leaves_the_table(sites, services):
    a, _ = sites
    services.systemctl("start", AGENT, TUNNEL)
    assert hears(a)
    table = a.router.table_words()
    services.systemctl("stop", AGENT, TUNNEL)
    assert a.router.table_words() == table
    assert a.host.refusal("240.2.2.20", 7) in ("refused", "reset"), "without a tunnel it is fast, and nothing leaks"
    services.systemctl("start", TUNNEL)
    assert hears(a)


def test_an_upgrade_of_the_agent_is_noticed_by_no_flow(lab):
    a, b = linked_sites(lab)
    b.router.apply()
    services = Systemd(a.router)
    services.configure(a.router.toml.read_text())
    services.systemctl("start", AGENT)
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        generation, former = a.router.nft_generation(), services.process(AGENT)
        # As dpkg puts a new file into the place of one that runs.
        services.run("sh", "-c", f"cp /usr/sbin/{AGENT} /usr/sbin/new && mv /usr/sbin/new /usr/sbin/{AGENT}")
        services.systemctl("restart", AGENT)
        assert services.process(AGENT) != former
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert a.router.nft_generation() == generation
    services.journal(AGENT)


def test_one_service_runs_the_tunnel_too_and_when_killed_leaves_it_to_the_next(sites, services):
    a, _ = sites
    services.configure(a.router.toml.read_text() + '\n[tunnel]\nrun = "/usr/sbin/natctl-tunnel"\n')
    services.drop_in(AGENT, "run", (EXAMPLES / "natctl-agent-run.conf").read_text())
    services.systemctl("start", AGENT)
    assert hears(a)
    former, tunnel = services.process(AGENT), services.run("pidof", "natctl-tunnel").stdout
    services.systemctl("kill", "--signal=KILL", "--kill-who=main", AGENT)
    services.comes_back(AGENT, former)
    assert hears(a)
    assert services.run("pidof", "natctl-tunnel").stdout == tunnel
    services.systemctl("stop", AGENT)
    assert services.run("pidof", "natctl-tunnel", check=False).stdout == ""
