# SPDX-License-Identifier: GPL-3.0-or-later
"""nft is the judge of what natctl writes by netlink: three ways to the same table, listed by nft, give one text.

    natctl apply                     what our netlink made
    natctl show | nft -f -           what nft makes of our text
    nft -f tests/golden/NAME.nft     what nft makes of the text that was read and approved by people
"""

from natlab import Socks, Veth, build_sites, configure


def as_nft_makes_it(lab, text):
    """The listing of a table that nft itself has loaded, in a machine where nothing else is."""
    machine = lab.namespace(f"judge{len(lab.programs)}-{abs(hash(text))}")
    machine.nft(text)
    return machine.run("nft", "-s", "list", "table", "inet", "natctl").stdout


def test_nft_makes_the_same_of_what_natctl_shows(lab):
    a, b, c = sites = build_sites(lab, "abc")
    for link in (Veth(lab, sites), Socks(lab, sites)):
        configure(sites, link)
        for site in sites:
            site.router.apply()
            assert as_nft_makes_it(lab, site.router.show()) == site.router.ruleset("inet natctl")
