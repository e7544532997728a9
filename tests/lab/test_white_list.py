# SPDX-License-Identifier: GPL-3.0-or-later
"""The white list: what it is made of, that it follows names and addresses, its copy in kernel ipsets, and what is added
to it at run time."""

import json

import pytest

from natlab import Greeting, Lab, Veth, build_sites, configure, eventually, microsocks, netfilter

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
    return netfilter.elements(router, name)


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


# --- at run time ---


def whitelist(router, *words, hosts="", check=True):
    """`natctl whitelist`, with an /etc/hosts of its own."""
    file = router.directory / "hosts"
    file.write_text("127.0.0.1 localhost\n" + hosts)
    script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
    command = router.command("whitelist", "--config", router.toml, *words)
    return router.run("unshare", "-m", "sh", "-c", script, "sh", file, *command, check=check)


def refusal(router, *words, hosts=""):
    """What it says when it does not."""
    result = whitelist(router, *words, hosts=hosts, check=False)
    assert result.code == 1 and not result.stdout, str(result)
    return result.stderr


def added(router):
    """What was added at run time: addresses and seconds left, or None for no end."""
    listed = json.loads(whitelist(router, "list", "--json").stdout)["entries"]
    return {entry["addresses"]: entry.get("seconds_left") for entry in listed if entry["from"] == "run time"}


def white_now(router):
    return white(router, "white_now4") | white(router, "white_now6")


SVR, NET, PPP = "198.51.100.50", "198.51.100.60", "198.51.100.1"
PROXIED, SPARED = Greeting("net", saw=SVR), Greeting("net", saw=PPP)


class Proxied:
    """A LAN whose traffic goes through a proxy on another machine, so that NET sees who dialled."""

    def __init__(self, lab):
        self.a = build_sites(lab, "a")[0]
        self.router, self.host = self.a.router, self.a.host
        for label, address in (("svr", SVR), ("net", NET)):
            machine = lab.network.machine(label)
            lab.network.plug(machine, "eth0", "wan", f"{address}/24", via=["198.51.100.254"])
            if label == "svr":
                microsocks(machine, SVR, 1080, "a", "open sesame")
        password = self.router.secret("password", "open sesame\n")
        self.site = f"""
site = "a"
lan  = ["lan0", "lan1"]

[[map]]
virtual = "240.1.1.0/24"
real    = "192.168.1.0/24"

[[peer]]
name    = "b"
virtual = "240.2.2.0/24"
link    = {{ socks5 = "{SVR}:1080", user = "a", password_file = "{password}" }}

[white_list]
prefixes = ["203.0.113.0/24"]
endpoints = ["{SVR}"]
private = true

[intercept]
proxy = {{ socks5 = "{SVR}:1080", user = "a", password_file = "{password}" }}
protocols = "tcp"
"""
        self.router.apply(self.site)
        self.router.start_tunnel()

    def seen(self):
        """What NET says to a host of the LAN."""
        return self.host.greeting(NET)


@pytest.fixture(scope="module")
def shared():
    with Lab() as lab:
        yield Proxied(lab)


@pytest.fixture
def proxied(shared):
    """With nothing added."""
    shared.router.down()
    shared.router.apply(shared.site)
    return shared


def test_what_is_added_is_spared_at_once_and_deleted_no_longer(proxied):
    router = proxied.router
    assert proxied.seen() == PROXIED
    changes = json.loads(whitelist(router, "add", "198.51.100.0/26", "2001:db8:9::9", "--json").stdout)["changes"]
    assert sorted(changes.splitlines()) == [
        "add element inet natctl white_now4 { 198.51.100.0/26 }",
        "add element inet natctl white_now6 { 2001:db8:9::9 }",
    ]
    assert proxied.seen() == SPARED
    assert added(router) == {"198.51.100.0/26": None, "2001:db8:9::9": None}
    assert not router.changes_pending()

    assert whitelist(router, "del", "198.51.100.0/26").stdout == ""
    assert proxied.seen() == PROXIED
    assert added(router) == {"2001:db8:9::9": None}
    assert white_now(router) == {"2001:db8:9::9"}


def test_it_survives_apply_and_rollback_and_goes_with_down(proxied):
    router = proxied.router
    whitelist(router, "add", NET)
    router.apply()
    assert proxied.seen() == SPARED
    router.apply_on_trial(3600, proxied.site.replace("240.2.2.0/24", "240.4.4.0/24"))
    assert proxied.seen() == SPARED
    router.rollback()
    assert proxied.seen() == SPARED and white_now(router) == {NET}
    router.run("nft", "delete", "table", "inet", "natctl")
    router.natctl("apply")
    assert white_now(router) == {NET}

    router.down()
    assert not (router.run_dir / "white_list").exists()
    router.apply(proxied.site)
    assert proxied.seen() == PROXIED and not added(router)


def test_an_entry_ends_by_itself(proxied):
    router = proxied.router
    whitelist(router, "add", "203.0.114.0/24", "--timeout", "1h")
    whitelist(router, "add", "203.0.115.0/24")
    said = json.loads(whitelist(router, "add", NET, "--timeout", "2s", "--json").stdout)
    assert said["changes"] == f"add element inet natctl white_now4 {{ {NET} timeout 2s }}\n"

    eventually(lambda: proxied.seen() == PROXIED, what="the proxy has it again")

    assert white_now(router) == {"203.0.114.0/24", "203.0.115.0/24"}
    left = added(router)
    assert left.keys() == {"203.0.114.0/24", "203.0.115.0/24"}
    assert 3500 < left["203.0.114.0/24"] <= 3600 and left["203.0.115.0/24"] is None
    assert not router.changes_pending()
    # Loaded by nft, what is left of a lifetime goes on.
    router.nft(router.show())
    assert white_now(router) == {"203.0.114.0/24", "203.0.115.0/24"}
    assert not router.changes_pending()


def lifetime(router):
    """Of the only element: seconds, or None."""
    listed = json.loads(router.run("nft", "-j", "list", "set", "inet", "natctl", "white_now4").stdout)
    (element,) = next(part["set"] for part in listed["nftables"] if "set" in part)["elem"]
    return element["elem"]["expires"] if isinstance(element, dict) and "elem" in element else None


def test_added_again_it_gets_the_other_lifetime(proxied):
    router = proxied.router
    for options, least, most in ((["--timeout", "5m"], 200, 300), (["--timeout", "2h"], 7000, 7200)):
        whitelist(router, "add", NET, *options)
        assert least < lifetime(router) <= most and least < added(router)[NET] <= most
    whitelist(router, "add", NET)
    assert lifetime(router) is None and added(router) == {NET: None}
    whitelist(router, "add", NET, "--timeout", "1d")
    assert 86000 < lifetime(router) <= 86400


def test_where_entries_overlap_the_longer_one_holds(proxied):
    router = proxied.router
    whitelist(router, "add", NET, "--timeout", "1s")
    whitelist(router, "add", "198.51.100.0/24", "--timeout", "1h")
    whitelist(router, "add", "198.51.100.128/25")
    eventually(lambda: NET not in added(router), what="the short one is over")
    assert proxied.seen() == SPARED
    assert white_now(router) == {"198.51.100.0/25", "198.51.100.128/25"}
    assert not router.changes_pending()


def test_names_are_added_and_deleted_with_all_their_addresses(proxied):
    router = proxied.router
    hosts = f"{NET} far.test\n2001:db8:7::7 far.test\n240.2.2.9 far.test\n240.2.2.9 odd.test\n"
    whitelist(router, "add", "far.test", "--timeout", "1h", hosts=hosts)
    assert white_now(router) == {NET, "2001:db8:7::7"}
    assert proxied.seen() == SPARED
    line = next(line for line in whitelist(router, "list").stdout.splitlines() if NET in line)
    assert "run time far.test, " in line and line.endswith(" s left")
    assert "odd.test (240.2.2.9)" in refusal(router, "add", "odd.test", hosts=hosts)
    whitelist(router, "del", "far.test")
    assert not white_now(router)


def test_it_changes_what_is_applied_and_never_takes_site_toml(proxied):
    router = proxied.router
    edited = proxied.site.replace("240.2.2.0/24", "240.4.4.0/24")
    router.configure(edited)
    whitelist(router, "add", NET)
    assert "240.2.2.0/24" in router.ruleset("inet natctl") and "240.4.4.0/24" not in router.ruleset("inet natctl")

    router.apply_on_trial(3600)
    router.configure(proxied.site)
    whitelist(router, "add", "203.0.114.7")
    assert "240.4.4.0/24" in router.ruleset("inet natctl"), "it is on trial and stays so"
    assert router.trial()["watched"]
    router.rollback()
    assert white_now(router) == {NET, "203.0.114.7"}
    assert "240.2.2.0/24" in router.ruleset("inet natctl")


def test_refusals_say_why_and_change_nothing(proxied):
    router = proxied.router
    whitelist(router, "add", "203.0.114.0/24")
    for words, why in {
        ("add", "198.51.100.9", "240.2.2.20"): "lies in 240.2.2.0/24 of peer b",
        ("add", "240.1.1.0/25"): "lies in 240.1.1.0/24 of this site",
        ("add", "::ffff:198.51.100.9"): "IPv4 address in IPv6 form: write 198.51.100.9",
        ("add", "198.51.100.9:443"): "neither an address, nor a prefix, nor the name of a host",
        ("add", "nobody.invalid"): "nobody.invalid does not resolve",
        ("del", "203.0.113.0/24"): "site.toml has it, under prefixes",
        ("del", "203.0.113.7"): "site.toml has it, in prefix 203.0.113.0/24",
        ("del", SVR): "site.toml has it, under endpoints",
        ("del", "10.0.0.0/8"): "site.toml has it, by private = true",
        ("del", "203.0.114.0/24", "203.0.114.9"): "203.0.114.0/24 was: delete that",
        ("del", "8.8.8.8"): "was not added at run time",
    }.items():
        assert why in refusal(router, *words), words
    assert white_now(router) == {"203.0.114.0/24"}
    for words in (
        ("add",),
        ("del",),
        ("list", NET),
        ("drop", NET),
        ("del", NET, "--timeout", "5m"),
        ("add", NET, "--timeout", "5"),
        ("add", NET, "--timeout", "0s"),
        ("add", NET, "--timeout", "25d"),
        ("add", NET, "--timeout", "soon"),
    ):
        assert whitelist(router, *words, check=False).code == 2, words

    router.down()
    assert "nothing is applied, `natctl apply` comes first" in refusal(router, "add", NET)
    assert not (router.run_dir / "white_list").exists()


def test_everything_may_be_spared_but_virtual_addresses(proxied):
    whitelist(proxied.router, "add", "0.0.0.0/0")
    assert proxied.seen() == SPARED
    assert proxied.a.second.greeting("240.1.1.20").host == "C"


def test_a_list_of_another_boot_counts_for_nothing_and_a_damaged_one_is_named(proxied):
    router = proxied.router
    whitelist(router, "add", NET)
    file = router.run_dir / "white_list"
    text = file.read_text()
    file.write_text(text.replace(text.split()[1], "00000000-0000-0000-0000-000000000000"))
    assert not added(router)
    router.apply()
    assert proxied.seen() == PROXIED

    file.write_text(text + "198.51.100.0/24 for ever\n")
    for verb in ("apply", "plan"):
        result = router.natctl(verb, check=False)
        assert result.code == 1 and f"{file}:3:" in result.stderr and f"rm {file}" in result.stderr, str(result)
    assert f"{file}:3:" in refusal(router, "add", NET)
    found = json.loads(router.natctl("doctor", "--json", check=False).stdout)
    assert f"rm {file}" in json.dumps(found)
    router.down()
    assert not file.exists()


def test_ipsets_hold_what_was_added_and_for_how_long(mirror):
    natctl(mirror, "apply", "")
    whitelist(mirror, "add", "203.0.115.0/24", "--timeout", "1h")
    whitelist(mirror, "add", "203.0.113.0/24", "2001:db8:9::9", "--timeout", "1s")
    assert holds(mirror, "203.0.115.7") and holds(mirror, "10.1.1.1")
    (line,) = [item for item in members(mirror, "white_list") if item.startswith("203.0.115.0/24 ")]
    assert 3500 < int(line.removeprefix("203.0.115.0/24 timeout ")) <= 3600
    eventually(lambda: not holds(mirror, "2001:db8:9::9", "white_list6"), what="its time is over")
    assert holds(mirror, "203.0.113.7"), "site.toml has it without an end"
    whitelist(mirror, "del", "203.0.115.0/24")
    assert not holds(mirror, "203.0.115.7")
    assert "10.0.0.0/8" in members(mirror, "white_list"), "without lifetimes again"
