# SPDX-License-Identifier: GPL-3.0-or-later
"""What natctl-agent shows of itself by HTTP: metrics that agree with kernel and tunnel, and to whom it shows them."""

import http.client
import json
import re
import socket
import stat
import time

import pytest

from natlab import ROOT, Lab, eventually, exchange, netfilter
from natlab.agent_web import AGENT, BY_LINK, PORT, Pair, ask, families, metrics

MEGABYTES = 2
SIZE = MEGABYTES << 20
#: Families that may have nothing to tell.
MAY_BE_EMPTY = re.compile("natctl_(name|program)_|natctl_tunnel_(flows|bytes|failures|dropped)")
REFUSED = {
    "Host: attacker.example": 421,
    "Host: 192.168.1.1:9117": 421,
    "Host: localhost\r\nOrigin: http://attacker.example": 403,
    "Host: localhost\r\nSec-Fetch-Site: cross-site": 403,
    "Host: localhost\r\nHost: localhost": 400,
    "X: y": 400,
    "Host: localhost\r\nX: " + 9000 * "x": 431,
}


@pytest.fixture(scope="module")
def pair():
    with Lab() as lab:
        yield Pair(lab)


def say(router, data):
    """The first line of what comes back."""
    with router.dial("127.0.0.1", PORT) as connection:
        connection.sendall(data)
        return connection.makefile("rb").readline().decode().strip()


def test_a_parser_of_prometheus_reads_them(pair):
    for family in families(pair.router):
        assert family.documentation and family.type in ("gauge", "counter", "histogram"), family
        assert family.samples or MAY_BE_EMPTY.match(family.name), family
    values = metrics(pair.router)
    assert values['natctl_site_info{site="a"}'] == values["natctl_site_applied"] == 1
    assert values["natctl_failing"] == values["natctl_fighting"] == values["natctl_trial_running"] == 0
    assert values['natctl_maps{kind="prefix"}'] == 2 and values['natctl_maps{kind="host"}'] == 1
    count = values["natctl_look_duration_seconds_count"]
    assert count >= values["natctl_looks_total"] > 0
    assert values['natctl_look_duration_seconds_bucket{le="+Inf"}'] == count
    assert values["process_resident_memory_bytes"] > 0 and 5 < values["process_open_fds"] < 60
    assert abs(time.time() - values["process_start_time_seconds"]) < 3600
    version = pair.router.run(pair.router.lab.program("natctl-agent"), "--version").stdout.split()[1]
    assert values[f'natctl_build_info{{version="{version}"}}'] == 1


def test_the_dashboard_asks_for_what_there_is(pair):
    known = {sample.name for family in families(pair.router) for sample in family.samples}
    known |= {family.name + ("_total" if family.type == "counter" else "") for family in families(pair.router)}
    dashboard = json.loads((ROOT / "etc/grafana/natctl.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    asked += [variable["definition"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    names = {name for text in asked for name in re.findall(r"\b(?:natctl|process)_[a-z_]+", text)}
    assert len(names) > 20 and len({panel["id"] for panel in panels}) == len(panels)
    assert not {name for name in names if name not in known}
    for panel in panels:
        assert panel["title"] and panel["targets"] and panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


def test_bytes_are_those_that_moved(pair):
    a, b, router = pair.a, pair.b, pair.router
    sent = 'natctl_interface_transmit_bytes_total{interface="ov0"}'
    before = metrics(router)
    exchange(a.host, b.virtual(20), b.host, MEGABYTES)
    after = metrics(router)
    assert SIZE < after[sent] - before[sent] < 1.2 * SIZE
    link = json.loads(router.run("ip", "-j", "-s", "link", "show", "ov0").stdout)[0]
    assert 0 <= link["stats64"]["tx"]["bytes"] - after[sent] < 10_000

    router.ip("link set ov0 down")
    pair.becomes(pair.by_proxy, 1)
    values = metrics(router)
    assert values[BY_LINK] == values['natctl_interface_up{interface="ov0"}'] == 0
    assert values['natctl_link_usable{peer="b",link="dev ov0 via 172.31.0.2",kind="dev"}'] == 0
    assert values['natctl_peer_up{peer="b"}'] == 1

    # The tunnel counts to the byte.
    way = f'protocol="tcp",way="peer b by socks5 {b.wan}:1080"'
    exchange(a.host, b.virtual(20), b.host, MEGABYTES)
    pair.becomes(f"natctl_tunnel_flows_ended_total{{{way}}}", 1)
    values = metrics(router)
    assert values[f"natctl_tunnel_flows{{{way}}}"] == 0
    for direction in ("to_far", "to_client"):
        assert values[f'natctl_tunnel_bytes_total{{{way},direction="{direction}"}}'] == SIZE

    b.router.tunnel.stop()
    assert a.host.refusal(b.virtual(20), port=80)
    pair.becomes('natctl_peer_up{peer="b"}', 0)
    assert metrics(router)[f'natctl_tunnel_proxy_up{{proxy="{b.wan}:1080"}}'] == 0
    b.router.start_tunnel()
    router.ip("link set ov0 up")
    pair.becomes(BY_LINK, 1)


def test_open_flows_are_counted_by_peer_and_path(pair):
    a, b, router = pair.a, pair.b, pair.router
    by_link, by_tunnel = (f'natctl_flows{{peer="b",path="{path}"}}' for path in ("link", "tunnel"))
    router.run("conntrack", "-F")
    pair.becomes(by_link, 0)
    with a.host.dial(b.virtual(20)):
        pair.becomes(by_link, 1)
        router.ip("link set ov0 down")
        pair.becomes(pair.by_proxy, 1)
        eventually(lambda: netfilter.elements(b.router, "tun4"), what="b takes the proxy as well")
        with a.host.dial(b.virtual(20)), b.host.dial(a.virtual(20)):
            pair.becomes(by_tunnel, 1)
            # What b's proxy brings is this router's own flow.
            pair.becomes('natctl_flows{peer="",path="inside"}', 1)
            assert metrics(router)[by_link] == 1, "it waits for its link"
    router.ip("link set ov0 up")
    pair.becomes(BY_LINK, 1)


def elements_held(router):
    """How many elements each set has, as nft lists them."""
    listed = json.loads(router.run("nft", "-j", "list", "table", "inet", "natctl").stdout)["nftables"]
    sets = [item.get("set") or item.get("map") for item in listed if {"set", "map"} & item.keys()]
    return {found["name"]: len(found.get("elem", [])) for found in sets}


def test_elements_of_sets_are_those_that_the_kernel_has(pair):
    router = pair.router

    def told():
        values = metrics(router).items()
        return {name[25:-2]: value for name, value in values if name.startswith('natctl_set_elements{set="')}

    held = elements_held(router)
    assert told() == held and held["peer4"] == held["dnat4"] == 2 and held["dnat4h"] == 1 and held["white_now4"] == 0
    router.run(*router.command("whitelist", "add", "198.51.100.9", "--timeout", "5s"))
    router.run(*router.command("whitelist", "add", "203.0.113.7"))
    eventually(lambda: told()["white_now4"] == 2, what="they are counted")
    eventually(lambda: told()["white_now4"] == 1, what="one has gone by itself")
    eventually(lambda: told() == elements_held(router), what="as in the kernel")
    router.run(*router.command("whitelist", "del", "203.0.113.7"))
    eventually(lambda: told()["white_now4"] == 0, what="the other is taken away")


def test_repairs_and_trials_are_counted(pair):
    router = pair.router
    before = metrics(router)
    router.nft("flush ruleset")
    pair.becomes("natctl_repairs_total", before["natctl_repairs_total"] + 1)
    assert metrics(router)["natctl_changes_total"] > before["natctl_changes_total"]
    router.apply_on_trial(3600)
    pair.becomes("natctl_trial_running", 1)
    router.rollback()
    pair.becomes("natctl_trial_running", 0)


def test_a_tunnel_that_is_gone_or_says_nothing_keeps_nobody_waiting(pair):
    router = pair.router
    router.tunnel.stop()
    assert metrics(router)["natctl_tunnel_up"] == 0
    path = router.run_dir / "natctl-tunnel.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        begin = time.monotonic()
        assert metrics(router)["natctl_tunnel_up"] == 0
        assert time.monotonic() - begin < 10
    path.unlink()
    router.start_tunnel()
    pair.becomes("natctl_tunnel_up", 1)


def test_only_requests_of_this_machine_are_answered(pair):
    for fields, status in REFUSED.items():
        said = say(pair.router, f"GET /metrics HTTP/1.1\r\n{fields}\r\n\r\n".encode())
        assert said.startswith(f"HTTP/1.1 {status} "), (fields[:60], said)
    for method, status in {"HEAD": 200, "POST": 405, "DELETE": 405, "OPTIONS": 405}.items():
        answered, fields, content = ask(pair.router, method=method)
        assert answered == status and bool(content) == (method != "HEAD")
    paths = {"/": 200, "/page.js": 200, "/status.json": 200, "/nothing": 404, "/../etc/passwd": 404}
    for path, status in paths.items():
        answered, fields, content = ask(pair.router, path)
        assert answered == status, path
        assert fields["Cache-Control"] == "no-store" and fields["X-Content-Type-Options"] == "nosniff"
        assert fields["X-Frame-Options"] == "DENY" and "default-src 'none'" in fields["Content-Security-Policy"]
        assert "unsafe" not in fields["Content-Security-Policy"] and "Access-Control-Allow-Origin" not in fields


def test_who_is_slow_or_many_holds_nobody_up(pair):
    slow = [pair.router.dial("127.0.0.1", PORT) for _ in range(100)]
    for connection in slow[50:]:
        connection.sendall(b"GET /metrics HT")
    assert metrics(pair.router)["natctl_site_applied"] == 1
    told = slow[-1].makefile("rb").readline()
    assert told.startswith(b"HTTP/1.1 408 "), "it was told, after five seconds"
    for connection in slow:
        connection.close()
    eventually(lambda: metrics(pair.router)["process_open_fds"] < 40, what="their descriptors are closed")


def test_nothing_is_seen_from_outside(pair):
    a = pair.a
    assert a.host.refusal("192.168.1.1", PORT) == "refused"
    assert a.stranger.refusal(a.wan, PORT) == "refused"


def test_without_page_there_is_none(pair):
    router = pair.router
    text = router.toml.read_text()
    router.configure(text.replace(AGENT, AGENT.replace("page = true", "page = false")))
    eventually(lambda: ask(router, "/")[0] == 404, what="the page is gone")
    assert ask(router, "/status.json")[0] == 404
    assert ask(router)[0] == 200
    router.configure(text)
    eventually(lambda: ask(router, "/")[0] == 200, what="it is back")


def test_a_reload_moves_the_listener(pair):
    router = pair.router
    text = router.toml.read_text()
    assert AGENT in text
    path = router.run_dir / "http.sock"

    def configure(settings):
        router.configure(text.replace(AGENT, settings))

    configure(f'\n[agent]\nhttp = ["[::1]:9200", "{path}"]\n')
    eventually(lambda: metrics(router, port=9200, address="::1")["natctl_site_applied"] == 1, what="it listens there")
    assert router.refusal("127.0.0.1", PORT) == "refused"
    assert ask(router, "/", port=9200, address="::1")[0] == 404, "there is no page without page = true"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", "/metrics")
    assert b'natctl_site_info{site="a"} 1' in connection.getresponse().read()
    connection.close()

    # A port that somebody else has is a warning, and no more.
    with router.socket() as other:
        other.bind(("127.0.0.1", 9300))
        other.listen()
        configure('\n[agent]\nhttp = "127.0.0.1:9300"\n')
        eventually(lambda: "cannot listen at 127.0.0.1:9300: Address already in use" in router.agent.stderr)
        eventually(lambda: not path.exists(), what="the former ones are closed")
        assert "cannot listen at 127.0.0.1:9300" in router.natctl("status").stdout
    eventually(lambda: "listens at 127.0.0.1:9300 now" in router.agent.stderr, what="it is tried again")
    assert metrics(router, port=9300)["natctl_failing"] == 0
    assert "shows itself at http://127.0.0.1:9300" in router.natctl("status").stdout

    configure("\n")
    eventually(lambda: router.refusal("127.0.0.1", 9300) == "refused", what="nothing is shown any more")
    configure(AGENT)
    eventually(lambda: metrics(router)["natctl_site_applied"] == 1, what="it is as before")
