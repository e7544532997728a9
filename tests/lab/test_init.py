# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl init: the first site.toml, from options or from what is found on the router."""

import ipaddress
import json
import re

import pytest

from natlab import Greeting, Veth, build_sites

PROPOSED = ipaddress.ip_network("198.18.0.0/15")


@pytest.fixture
def sites(lab):
    return build_sites(lab)


def maps(text):
    """Virtual prefix by real prefix."""
    found = re.findall(r'^virtual = "(\S+)"\nreal    = "(\S+)"$', text, re.MULTILINE)
    return {real: virtual for virtual, real in found}


def test_two_sites_from_options_talk_to_each_other(lab, sites):
    a, b = sites
    Veth(lab, sites, ipv6=False)
    for site, other in ((a, b), (b, a)):
        peer = f"{other.name}={other.prefix},{other.second_prefix}@ov0/172.31.0.{other.number}"
        lans = ("--lan", "lan0", "--lan", "lan1", "--virtual", site.prefix, "--virtual", site.second_prefix)
        result = site.router.natctl("init", "--site", site.name, *lans, "--peer", peer)
        assert not result.stdout and not result.stderr, str(result)
        site.router.natctl("check")
        site.router.natctl("apply")
    assert a.host.greeting("240.2.2.20") == Greeting(host="D", saw="240.1.1.20")
    assert b.second.greeting("240.1.10.5") == Greeting(host="second-a", saw="240.2.10.5")


def test_what_is_found_on_the_router(sites):
    a, b = sites
    a.router.ip("tuntap add wg7 mode tun", "address add 10.99.0.1/24 dev wg7")
    a.router.ip("link add docker0 type bridge", "address add 172.17.0.1/16 dev docker0")
    a.router.natctl("init", "--site", "a")
    text = a.router.toml.read_text()
    assert 'lan  = ["lan0", "lan1"]' in text
    found = maps(text)
    assert list(found) == ["192.168.1.0/24", "10.10.10.0/24"]
    for virtual in found.values():
        assert ipaddress.ip_network(virtual).subnet_of(PROPOSED), virtual
        assert virtual.endswith("/24")
    assert len(set(found.values())) == 2
    assert '"wg7"' in text
    assert "wan0" not in text and "docker0" not in text

    checked = a.router.natctl("check")
    assert not checked.stderr, str(checked)
    a.router.natctl("apply")
    assert a.second.greeting(found["192.168.1.0/24"].replace(".0/24", ".20")).host == "C"

    b.router.natctl("init", "--site", "b")
    assert not set(found.values()) & set(maps(b.router.toml.read_text()).values())


def test_it_never_overwrites(sites):
    router = sites[0].router
    router.natctl("init", "--site", "a")
    before = router.toml.read_text()
    again = router.natctl("init", "--site", "other", check=False)
    assert again.code == 1 and not again.stdout, str(again)
    assert str(router.toml) in again.stderr and "--print" in again.stderr
    assert router.toml.read_text() == before

    printed = router.natctl("init", "--site", "other", "--print")
    assert 'site = "other"' in printed.stdout and not printed.stderr
    assert router.toml.read_text() == before

    link = router.directory / "link.toml"
    link.symlink_to(router.directory / "nowhere.toml")
    assert router.run(*router.command("init", link), check=False).code == 1
    assert not (router.directory / "nowhere.toml").exists()


def test_json_tells_what_was_written_and_where(sites):
    router = sites[0].router
    printed = json.loads(router.natctl("init", "--site", "a", "--print", "--json").stdout)
    assert printed["written"] is None and 'site = "a"' in printed["text"]
    assert not router.toml.exists()
    written = json.loads(router.natctl("init", "--site", "a", "--json").stdout)
    assert written == {"written": str(router.toml), "text": printed["text"]}
    assert router.toml.read_text() == written["text"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--lan", "nolan0"], "no such interface"),
        (["--lan", "lan0=10.0.0.0/8"], "--virtual"),
        (["--lan", "lan0", "--virtual", "240.1.0.0/16"], "240.1.0.0/16"),
        (["--lan", "lan0", "--virtual", "240.1.1.0/24", "--virtual", "240.1.2.0/24"], "--lan"),
        (["--site", 'a"b'], "site"),
        (["--site", "a", "--peer", "b=192.168.1.0/24@wg0"], "192.168.1.0/24"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(sites, options, words):
    router = sites[0].router
    result = router.natctl("init", *options, check=False)
    assert result.code == 1 and words in result.stderr, str(result)
    assert not router.toml.exists()


@pytest.mark.parametrize("options", [["--peer", "b"], ["--virtual", "x"], ["--lan", "lan0=x"], ["--lan"]])
def test_wrong_usage(sites, options):
    router = sites[0].router
    result = router.natctl("init", *options, check=False)
    assert result.code == 2 and result.stderr, str(result)
    assert not router.toml.exists()


def test_without_a_lan_it_asks_for_one(lab, sites):
    result = lab.stranger.run(lab.program("natctl"), "init", "--print", check=False)
    assert result.code == 1 and "--lan INTERFACE" in result.stderr, str(result)
