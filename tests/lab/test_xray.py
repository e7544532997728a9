# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites joined by what `natctl xray` prints, and by nothing else.

    C --- [router a: kernel -> natctl-tunnel -> v2ray] --- VLESS over the WAN --- [v2ray -> kernel: router b] --- D

Each site is dialled by the other. A stranger who knows b's id reaches what b maps, and nothing else.
"""

import json

import pytest

from natlab import STRANGER, Greeting, Lab, build_sites, toml
from natlab import v2ray as v2
from natlab.greeter import PORT
from natlab.socks import knock

pytestmark = pytest.mark.xdist_group("xray")

IDS = {"a": "11111111-aaaa-4aaa-8aaa-111111111111", "b": "22222222-bbbb-4bbb-8bbb-222222222222"}
SOCKS, VLESS = 1080, 4430


def configure(own, other):
    own.router.secret("own.id", IDS[own.name] + "\n")
    own.router.secret("other.id", IDS[other.name] + "\n")
    own.router.configure(
        toml.site(own, ipv6=True)
        + toml.peer(other, f'{{ socks5 = "127.0.0.1:{SOCKS}" }}', ipv6=True)
        + f'xray = {{ server = "{other.wan}:{VLESS}", id_file = "other.id" }}\n'
        + f'\n[xray]\nlisten = "{own.wan}:{VLESS}"\nid_file = "own.id"\n'
    )


def start_xray(router):
    """v2ray with what natctl prints."""
    file = router.directory / "config.json"
    file.write_text(router.natctl("xray", "--for", "v2ray").stdout)
    router.run("v2ray", "-test", "-config", file)
    program = router.start("v2ray", "v2ray", "-config", file)
    return program.wait_until(lambda: router.listens(SOCKS) and router.listens(VLESS), "it listens")


@pytest.fixture(scope="module")
def sites():
    with Lab() as lab:
        a, b = build_sites(lab)
        for own, other in ((a, b), (b, a)):
            configure(own, other)
            own.router.apply()
            own.router.start_tunnel()
            start_xray(own.router)
        yield a, b


def both_ways(sites):
    a, b = sites
    return ((a, b), (b, a))


def test_tcp(sites):
    for near, far in both_ways(sites):
        assert near.host.greeting(far.virtual(20)) == Greeting(host=far.host.label, saw="192.168.1.1")
        assert near.host.greeting(far.virtual(200)).host == f"printer-{far.name}"
        assert near.router.greeting(far.virtual_second(5)).host == f"second-{far.name}"


def test_udp(sites):
    for near, far in both_ways(sites):
        assert near.host.udp_greeting(far.virtual(20)) == Greeting(host=far.host.label, saw="192.168.1.1")


def test_ipv6(sites):
    for near, far in both_ways(sites):
        assert near.host.greeting(far.virtual6(20)).host == far.host.label
        assert near.host.udp_greeting(far.virtual6(20)).host == far.host.label


def test_the_socks_inbound_leads_to_the_peer_and_nowhere_else(sites):
    a, b = sites
    proxy = f"127.0.0.1:{SOCKS}"
    with knock(a.router, proxy, f"{b.virtual(20)}:{PORT}") as connection:
        assert Greeting.read(connection).host == "D"
    for elsewhere in (STRANGER, b.wan, "192.168.1.20", "127.0.0.1", a.virtual(20)):
        assert nobody_answers(a.router, proxy, elsewhere), elsewhere


def test_the_far_side_is_no_open_proxy(sites):
    """The stranger knows b's id, and sends everything there."""
    _, b = sites
    anything = v2.vless_outbound("site-b", b.wan, VLESS)
    anything["settings"]["vnext"][0]["users"][0]["id"] = IDS["b"]
    v2.v2ray(b.stranger, [v2.socks_inbound("127.0.0.1", SOCKS)], [anything])
    proxy = f"127.0.0.1:{SOCKS}"
    with knock(b.stranger, proxy, f"{b.virtual(20)}:{PORT}") as connection:
        assert Greeting.read(connection).host == "D"
    # The Internet, b itself, b's LAN by its real address, and a's hosts by way of b.
    for elsewhere in ("198.51.100.1", "127.0.0.1", b.wan, "192.168.1.20", "10.10.10.5", "240.1.1.20", "localhost"):
        assert nobody_answers(b.stranger, proxy, elsewhere), elsewhere


def test_a_wrong_id_opens_nothing(sites):
    _, b = sites
    v2.v2ray(b.second, [v2.socks_inbound("127.0.0.1", SOCKS)], [v2.vless_outbound("site-b", b.wan, VLESS)])
    assert nobody_answers(b.second, f"127.0.0.1:{SOCKS}", b.virtual(20))


def nobody_answers(machine, proxy, address):
    """v2ray says that a connection stands before it knows; then it hangs up."""
    with knock(machine, proxy, f"{address}:{PORT}") as connection:
        try:
            return connection.recv(1) == b""
        except ConnectionResetError:
            return True


def test_the_form_for_xray_allows_the_own_prefixes(sites):
    """No Xray is at hand; v2ray takes no offence at what it does not know."""
    a, _ = sites
    printed = a.router.natctl("xray").stdout
    freedom = next(item for item in json.loads(printed)["outbounds"] if item["protocol"] == "freedom")
    assert freedom["settings"]["finalRules"] == [{"action": "allow", "ip": [a.prefix, a.second_prefix, a.prefix6]}]
    file = a.router.directory / "for-xray.json"
    file.write_text(printed)
    a.router.run("v2ray", "-test", "-config", file)


def test_what_is_missing_is_named(sites):
    """Of the ids nothing is printed but in the configuration itself."""
    a, b = sites
    router = a.router
    good = router.toml.read_text()
    try:
        router.configure(toml.site(a) + toml.peer(b, '{ socks5 = "127.0.0.1:1080" }'))
        nothing = router.natctl("xray", check=False)
        assert nothing.code == 1
        assert "cannot write a configuration of Xray for" in nothing.stderr
        assert "it names no Xray: add xray = " in nothing.stderr

        router.configure(good)
        slip = IDS["a"][:-1]
        router.secret("own.id", slip + "\n")
        unsound = router.natctl("xray", check=False)
        assert unsound.code == 1
        assert "cannot use the id in" in unsound.stderr
        assert "own.id" in unsound.stderr
        assert "cat /proc/sys/kernel/random/uuid" in unsound.stderr
        assert slip not in unsound.stdout + unsound.stderr

        (router.directory / "own.id").chmod(0o644)
        open_to_all = router.natctl("xray", check=False)
        assert open_to_all.code == 1
        assert "others may use" in open_to_all.stderr
        assert "chmod 600" in open_to_all.stderr

        assert router.natctl("xray", "--for", "clash", check=False).code == 2
    finally:
        router.configure(good)
        (router.directory / "own.id").chmod(0o600)
        router.secret("own.id", IDS["a"] + "\n")
