# SPDX-License-Identifier: GPL-3.0-or-later
"""The white list: what it is made of, that it follows names and addresses, and its copy in kernel ipsets."""

import json

import pytest

from natlab import Veth, build_sites, configure

WHITE_LIST = """
[white_list]
prefixes = ["203.0.113.0/25", "203.0.113.128/25"]
endpoints = ["proxy.test", "203.0.114.9"]
interfaces = ["wan0"]
private = true
"""
MIRROR = 'ipset = "white_list"\n'


@pytest.fixture
def router(lab):
    a, b = build_sites(lab)
    configure([a, b], Veth(lab, [a, b], ipv6=False))
    router = a.router
    router.configure(router.toml.read_text() + WHITE_LIST)
    return router


@pytest.fixture
def mirror(router):
    """The router, which keeps ipsets too."""
    probe = router.run("ipset", "list", "-n", check=False)
    if probe.code != 0:
        pytest.skip(f"this kernel has no ipsets: {probe.stderr.strip()}")
    router.configure(router.toml.read_text() + MIRROR)
    return router


def natctl(router, verb, hosts, check=True):
    """With an /etc/hosts of its own."""
    file = router.directory / "hosts"
    file.write_text("127.0.0.1 localhost\n" + hosts)
    places = ["--run-dir", router.run_dir, "--state-dir", router.state_dir]
    script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
    natctl = router.lab.program("natctl")
    return router.run("unshare", "-m", "sh", "-c", script, "sh", file, natctl, verb, router.toml, *places, check=check)


def white(router, name="white4"):
    """The set's elements, as nft lists them."""
    listed = json.loads(router.run("nft", "-j", "list", "set", "inet", "natctl", name).stdout)
    elements = next(part["set"] for part in listed["nftables"] if "set" in part).get("elem", [])

    def text(element):
        if isinstance(element, str):
            return element
        if "prefix" in element:
            return f"{element['prefix']['addr']}/{element['prefix']['len']}"
        return "-".join(element["range"])

    return {text(element) for element in elements}


def members(router, name):
    lines = router.run("ipset", "list", name).stdout.splitlines()
    return set(lines[lines.index("Members:") + 1 :])


def holds(router, address, name="white_list"):
    return router.run("ipset", "test", name, address, check=False).code == 0


def test_it_is_made_of_prefixes_names_interfaces_and_private_networks(router):
    natctl(router, "apply", "198.18.7.7 proxy.test\n2001:db8:7::7 proxy.test\n")
    listed = white(router)
    assert {"203.0.113.0/24", "203.0.114.9", "198.18.7.7", "198.51.100.1", "10.0.0.0/8", "192.168.0.0/16"} <= listed
    assert {"2001:db8:7::7", "fe80::/10"} <= white(router, "white6")
    assert not natctl(router, "plan", "198.18.7.7 proxy.test\n2001:db8:7::7 proxy.test\n").stdout


def test_it_follows_names_and_addresses_and_remembers_what_no_longer_resolves(router):
    natctl(router, "apply", "198.18.7.7 proxy.test\n")
    router.ip("address add 198.51.100.201/24 dev wan0")
    natctl(router, "apply", "198.18.7.8 proxy.test\n")
    listed = white(router)
    assert {"198.18.7.8", "198.51.100.201"} <= listed and "198.18.7.7" not in listed
    router.ip("address del 198.51.100.201/24 dev wan0")
    result = natctl(router, "apply", "")
    assert "proxy.test does not resolve now" in result.stderr
    listed = white(router)
    assert "198.18.7.8" in listed and "198.51.100.201" not in listed


def test_a_name_that_leads_to_a_peer_does_not_hide_it(router):
    natctl(router, "apply", "240.2.2.20 proxy.test\n198.18.7.9 proxy.test\n")
    listed = white(router)
    assert "198.18.7.9" in listed and "240.2.2.20" not in listed


def test_the_list_says_where_each_entry_comes_from(router):
    options = ["--json", "--config", router.toml, "--state-dir", router.state_dir]
    result = router.run(router.lab.program("natctl"), "whitelist", "list", *options)
    entries = json.loads(result.stdout)["entries"]
    assert {"addresses": "203.0.113.0/25", "from": "prefix"} in entries
    assert {"addresses": "203.0.114.9", "from": "endpoint", "name": "203.0.114.9"} in entries
    assert {"addresses": "198.51.100.1", "from": "interface", "name": "wan0"} in entries
    assert {"addresses": "10.0.0.0/8", "from": "private"} in entries


def test_ipsets_hold_the_same(mirror):
    natctl(mirror, "apply", "198.18.7.7 proxy.test\n2001:db8:7::7 proxy.test\n")
    assert {"203.0.113.0/24", "198.18.7.7", "198.51.100.1", "10.0.0.0/8"} <= members(mirror, "white_list")
    assert {"2001:db8:7::7", "fe80::/10"} <= members(mirror, "white_list6")
    natctl(mirror, "apply", "198.18.7.8 proxy.test\n")
    assert holds(mirror, "198.18.7.8") and not holds(mirror, "198.18.7.7")
    assert holds(mirror, "203.0.113.200") and not holds(mirror, "240.2.2.20")
    mirror.down()
    assert mirror.run("ipset", "list", "-n").stdout == ""


def test_an_ipset_of_somebody_else_is_kept(mirror):
    mirror.run("ipset", "create", "white_list", "hash:ip")
    mirror.run("ipset", "add", "white_list", "192.0.2.1")
    result = natctl(mirror, "apply", "", check=False)
    assert result.code == 1 and "somebody made it as hash:ip" in result.stderr, str(result)
    assert "natctl" not in mirror.ruleset()
    assert members(mirror, "white_list") == {"192.0.2.1"}

    mirror.run("ipset", "destroy", "white_list")
    mirror.run("ipset", "create", "white_list", "hash:net")
    natctl(mirror, "apply", "")
    assert holds(mirror, "203.0.113.1")
    mirror.down()
    assert mirror.run("ipset", "list", "-n").stdout.split() == ["white_list"]


def test_sets_of_a_former_name_go(mirror):
    natctl(mirror, "apply", "")
    mirror.configure(mirror.toml.read_text().replace('ipset = "white_list"', 'ipset = "other"'))
    natctl(mirror, "apply", "")
    assert set(mirror.run("ipset", "list", "-n").stdout.split()) == {"other", "other6"}
    mirror.configure(mirror.toml.read_text().replace('ipset = "other"', ""))
    natctl(mirror, "apply", "")
    assert mirror.run("ipset", "list", "-n").stdout == ""
