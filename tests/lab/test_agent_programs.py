# SPDX-License-Identifier: GPL-3.0-or-later
"""One service is enough: natctl-agent runs natctl-tunnel and v2ray, which stands for Xray, as site.toml says.

    C --- [router a: natctl-agent -> natctl-tunnel, v2ray] --- VLESS over the WAN --- [the same at router b] --- D
"""

import os
import shutil
import signal

import pytest

from natlab import Greeting, always, build_sites, eventually, toml

IDS = {"a": "11111111-aaaa-4aaa-8aaa-111111111111", "b": "22222222-bbbb-4bbb-8bbb-222222222222"}
SOCKS, VLESS = 1080, 4430


def configuration(own, other, port=VLESS):
    tunnel = own.router.lab.program("natctl-tunnel")
    return (
        toml.site(own)
        + toml.peer(other, f'{{ socks5 = "127.0.0.1:{SOCKS}" }}')
        + f'xray = {{ server = "{other.wan}:{VLESS}", id_file = "other.id" }}\n'
        + f'\n[tunnel]\nrun = "{tunnel}"\n'
        + f'\n[xray]\nlisten = "{own.wan}:{port}"\nid_file = "own.id"\nrun = "{shutil.which("v2ray")}"\n'
    )


@pytest.fixture
def sites(lab):
    a, b = build_sites(lab)
    for own, other in ((a, b), (b, a)):
        own.router.secret("own.id", IDS[own.name] + "\n")
        own.router.secret("other.id", IDS[other.name] + "\n")
        own.router.configure(configuration(own, other))
        own.router.agent = own.router.start_agent()
    for site in (a, b):
        site.router.agent.wait_until(lambda site=site: site.router.listens(SOCKS), "v2ray takes SOCKS")
    yield a, b
    for site in (a, b):
        for pid in running(site.router).values():
            os.kill(pid, signal.SIGKILL)


def running(router):
    """Process ids by name, as files in the run directory have them; also when the agent is dead."""
    found = {}
    for path in (router.directory / "run").glob("*.child"):
        pid = int(path.read_text().split('"pid":')[1].split(",")[0])
        if os.path.exists(f"/proc/{pid}"):
            found[path.stem] = pid
    return found


def hears(a):
    return eventually(lambda: a.host.greeting("240.2.2.20"), what="C reaches D") == Greeting("D", saw="192.168.1.1")


def test_what_the_agent_runs_joins_the_sites(sites):
    a, _ = sites
    assert hears(a)
    programs = running(a.router)
    assert set(programs) == {"natctl-tunnel", "xray"}
    status = a.router.natctl("status").stdout
    assert f"runs natctl-tunnel (process {programs['natctl-tunnel']})" in status
    # What they say goes to the agent's log; who connects where does not.
    assert "[info] xray: " in a.router.agent.stderr and "accepted" not in a.router.agent.stderr


def test_what_dies_is_started_again(sites):
    a, _ = sites
    assert hears(a)
    for name in ("xray", "natctl-tunnel"):
        before = running(a.router)[name]
        os.kill(before, signal.SIGKILL)
        other = lambda name=name, before=before: running(a.router).get(name, before) != before
        eventually(other, what=f"{name} is back")
        assert hears(a)
        assert f"{name} ended by itself: signal 9" in a.router.agent.stderr


def test_an_agent_that_is_killed_leaves_them_to_the_next_one(sites):
    a, _ = sites
    assert hears(a)
    before = running(a.router)
    with a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        a.router.agent.process.kill()
        a.router.agent.process.wait()
        assert running(a.router) == before
        a.router.agent = a.router.start_agent()
        a.router.agent.wait_until(lambda: "runs already" in a.router.agent.stderr, "it takes them over")
        flow.sendall(b"still there?")
        assert flow.recv(100) == b"still there?"
    assert running(a.router) == before
    # And ends them as it does its own.
    assert a.router.agent.stop() == 0
    assert running(a.router) == {}


def test_an_agent_whose_file_is_refused_leaves_them_running(sites):
    a, _ = sites
    assert hears(a)
    before = running(a.router)
    a.router.agent.process.kill()
    a.router.agent.process.wait()
    a.router.ip("route add unreachable 240.3.3.0/24 table 7003")
    third = '\n[[peer]]\nname = "c"\nvirtual = "240.3.3.0/24"\nlink = { socks5 = "127.0.0.1:1080" }\n'
    a.router.configure(a.router.toml.read_text() + third)
    a.router.agent = a.router.start_agent()
    a.router.agent.wait_until(lambda: "somebody else's route" in a.router.agent.stderr, "the file is refused")
    always(lambda: running(a.router) == before, 0.5, "they run on")
    assert hears(a)


def test_a_file_of_xray_that_comes_later_is_read_then(sites):
    a, _ = sites
    assert hears(a)
    secret = a.router.directory / "own.id"
    kept = secret.read_text()
    a.router.agent.stop()
    secret.unlink()
    a.router.agent = a.router.start_agent()
    a.router.agent.wait_until(lambda: "xray stays as it is" in a.router.agent.stderr, "it misses the file")
    a.router.secret("own.id", kept)
    # Any event will do; at the latest the full check.
    a.router.ip("address add 203.0.113.77/32 dev lo")
    eventually(lambda: "xray" in running(a.router), what="it runs")
    assert a.router.agent.stderr.count("xray stays as it is") == 1


def test_a_change_that_concerns_xray_starts_it_anew_and_spares_the_tunnel(sites):
    a, b = sites
    assert hears(a)
    before = running(a.router)
    a.router.configure(configuration(a, b, port=4431))
    eventually(lambda: a.router.listens(4431), what="v2ray listens at the new port")
    eventually(lambda: running(a.router).get("xray", before["xray"]) != before["xray"], what="it is another process")
    assert running(a.router)["natctl-tunnel"] == before["natctl-tunnel"]
    assert hears(a)


def test_what_site_toml_no_longer_names_is_ended(sites):
    a, b = sites
    assert hears(a)
    a.router.configure(toml.site(a) + toml.peer(b, f'{{ socks5 = "127.0.0.1:{SOCKS}" }}'))
    eventually(lambda: running(a.router) == {}, what="both are ended")


def test_a_program_that_is_none_is_an_error_that_is_not_repeated_at_full_speed(lab):
    a, b = build_sites(lab)
    a.router.configure(
        toml.site(a)
        + toml.peer(b, f'{{ socks5 = "{b.wan}:{SOCKS}" }}')
        + '\n[tunnel]\nrun = "/nowhere/natctl-tunnel"\n'
    )
    agent = a.router.start_agent()
    agent.wait_until(lambda: agent.stderr.count("cannot run /nowhere/natctl-tunnel") > 1, "it says so, and tries again")
    assert agent.stderr.count("cannot run") <= 10
    assert not a.router.changes_pending()
