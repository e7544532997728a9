# SPDX-License-Identifier: GPL-3.0-or-later
"""The tunnel of b is no open proxy: it serves those whom site.toml names, and them only where site.toml says.

    stranger 198.51.100.66 ---+
                              |
    router a 198.51.100.1 ----+---- 198.51.100.2:1080 [router b]  240.2.2.0/24 --- D 192.168.1.20
                              |              :1081 with user and password
"""

import pytest

from natlab import Greeting, Lab, build_sites, toml
from natlab.greeter import PORT
from natlab.open_proxy import FOREIGN, nobody_called
from natlab.socks import Refused, knock

pytestmark = pytest.mark.xdist_group("open-proxy")

FOR_SITES = "198.51.100.2:1080"
FOR_USERS = "198.51.100.2:1081"
FOR_BOTH = "198.51.100.2:1082"
ON_LOOPBACK = "127.0.0.1:1083"


@pytest.fixture(scope="module")
def sites():
    with Lab() as lab:
        a, b = build_sites(lab)
        a.router.apply(toml.site(a) + toml.peer(b, f'{{ socks5 = "{FOR_SITES}" }}'))
        password = b.router.secret("friend.password", "open sesame\n")
        friend = {"user": "friend", "password_file": password}
        b.router.apply(
            toml.site(b)
            + toml.peer(a, '{ socks5 = "198.51.100.1:1080" }')
            + toml.listener(FOR_SITES, allow=["198.51.100.1/32"])
            + toml.listener(FOR_USERS, **friend)
            + toml.listener(FOR_BOTH, allow=["198.51.100.1/32"], **friend)
            + toml.listener(ON_LOOPBACK)
        )
        a.router.start_tunnel()
        b.router.start_tunnel()
        yield a, b


def reached(machine, proxy, destination, **how):
    """Whom one talks to through the proxy."""
    with knock(machine, proxy, destination, **how) as connection:
        return Greeting.read(connection).host


D = f"240.2.2.20:{PORT}"


def test_whom_site_toml_names_is_served(sites):
    a, b = sites
    assert reached(a.router, FOR_SITES, D) == "D"
    assert reached(a.router, FOR_SITES, f"240.2.10.5:{PORT}") == "second-b"
    assert reached(b.stranger, FOR_USERS, D, user="friend", password="open sesame") == "D"
    assert reached(a.router, FOR_BOTH, D, user="friend", password="open sesame") == "D"
    assert reached(b.router, ON_LOOPBACK, D) == "D"


def test_strangers_and_lan_hosts_are_not(sites):
    a, b = sites
    for somebody in (b.stranger, b.host, b.second, b.router):
        with pytest.raises(Refused):
            knock(somebody, FOR_SITES, D)


def test_hosts_behind_an_allowed_router_share_its_address(sites):
    """a masquerades on the WAN: C asking for b's proxy looks like a's router. That is what `allow` by address means."""
    a, _ = sites
    assert reached(a.host, FOR_SITES, D) == "D"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"user": "friend", "password": "open sesam"},
        {"user": "friend", "password": "open sesame\n"},
        {"user": "friend", "password": ""},
        {"user": "", "password": ""},
        {"user": "Friend", "password": "open sesame"},
        {"user": "f" * 255, "password": "p" * 255},
    ],
    ids=["no password", "short", "line break", "empty", "nobody", "wrong case", "as long as possible"],
)
def test_a_wrong_password_opens_nothing(sites, wrong):
    _, b = sites
    with pytest.raises(Refused):
        knock(b.stranger, FOR_USERS, D, **wrong)


def test_a_listener_that_wants_both_wants_both(sites):
    a, b = sites
    with pytest.raises(Refused):
        knock(a.router, FOR_BOTH, D)
    with pytest.raises(Refused):
        knock(b.stranger, FOR_BOTH, D, user="friend", password="open sesame")


@pytest.mark.parametrize("destination", FOREIGN)
def test_destinations_outside_the_own_virtual_prefixes_are_refused(sites, destination):
    """Asked by an allowed router, of a listener with and of one without passwords."""
    a, _ = sites
    with nobody_called(sites):
        for proxy, how in ((FOR_SITES, {}), (FOR_USERS, {"user": "friend", "password": "open sesame"})):
            with pytest.raises(Refused):
                knock(a.router, proxy, f"{destination}:{PORT}", **how)


def test_the_listener_does_not_call_itself(sites):
    """Neither by its address nor by the virtual name of its router."""
    a, _ = sites
    for destination in (FOR_SITES, FOR_USERS, "240.2.2.1:1080", "240.2.2.1:12345", "127.0.0.1:12345"):
        with pytest.raises(Refused):
            knock(a.router, FOR_SITES, destination)


def test_nobody_reaches_the_transparent_port(sites):
    """It is for TPROXY alone: whoever connected to it would be relayed to wherever it wants."""
    a, b = sites
    for machine, address in (
        (b.stranger, "198.51.100.2"),
        (b.host, "192.168.1.1"),
        (b.second, "10.10.10.10"),
        (a.router, "198.51.100.2"),
        (a.host, "240.2.2.1"),
    ):
        assert machine.refusal(address, port=12345) in ("refused", "reset"), f"{machine} -> {address}"
    # On the router itself it can be connected to, and leads nowhere.
    assert b.router.refusal("127.0.0.1", port=12345) in ("refused", "reset", "closed")


def test_a_listener_on_loopback_is_for_this_machine(sites):
    a, b = sites
    for machine, address in ((b.stranger, "198.51.100.2"), (b.host, "192.168.1.1"), (a.router, "198.51.100.2")):
        assert machine.refusal(address, port=1083) == "refused"
