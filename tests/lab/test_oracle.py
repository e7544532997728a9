# SPDX-License-Identifier: GPL-3.0-or-later
"""nft is the judge of what natctl writes by netlink: three ways to the same table, listed by nft, give one text.

    natctl apply                     what our netlink made
    natctl show | nft -f -           what nft makes of our text
    nft -f tests/golden/NAME.nft     what nft makes of the text that was read and approved by people
"""

import shutil

import pytest

from natlab import ROOT, Socks, Veth, build_sites, configure
from natlab.network import add_address
from natlab.router import Router

GOLDEN = ROOT / "tests/golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.toml"))

#: Where NAME.facts is missing. One interface a line: its name, then its addresses.
USUAL_FACTS = """\
lan0 192.168.1.1/24 fd00:a::1/64
lan1 10.10.10.10/24
wan0 198.51.100.1/24
ov0 172.31.0.1/24 fd00:ff::1/64
wg0 172.31.1.1/32
"""


def as_nft_makes_it(lab, text):
    """The listing of a table that nft itself has loaded, on a machine where nothing else is."""
    judge = lab.namespace("judge", Router)
    judge.nft(text)
    listing = judge.ruleset("inet natctl")
    lab.remove(judge)
    return listing


def router_with(lab, facts):
    router = lab.namespace("router", Router)
    for line in facts.splitlines():
        name, *addresses = line.split()
        router.ip(f"link add {name} type veth peer name far-{name}", f"link set {name} up", f"link set far-{name} up")
        router.ip(*(add_address(address, name) for address in addresses))
    return router


def test_nft_makes_the_same_of_what_natctl_shows(lab):
    sites = build_sites(lab, "abc")
    for link in (Veth(lab, sites), Socks(lab, sites)):
        configure(sites, link)
        for site in sites:
            site.router.apply()
            assert as_nft_makes_it(lab, site.router.show()) == site.router.ruleset("inet natctl")


def test_there_are_golden_texts():
    assert NAMES, f"no NAME.toml in {GOLDEN}"


@pytest.mark.parametrize("name", NAMES)
def test_our_netlink_makes_the_same_as_nft_of_the_golden_text(lab, name):
    facts = GOLDEN / f"{name}.facts"
    router = router_with(lab, facts.read_text() if facts.exists() else USUAL_FACTS)
    shutil.copy(GOLDEN / f"{name}.toml", router.toml)
    router.apply()
    listed = router.ruleset("inet natctl")
    assert listed == as_nft_makes_it(lab, (GOLDEN / f"{name}.nft").read_text())
    assert listed == as_nft_makes_it(lab, router.show())
    assert not router.changes_pending()
