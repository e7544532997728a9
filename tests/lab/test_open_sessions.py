# SPDX-License-Identifier: GPL-3.0-or-later
"""No change of the configuration cuts a session that it does not name.

    C --- [router a] === ov0 === [router b] --- D
"""

import json
import time

from natlab.trial import LATER, SOON, watch_is_gone, watch_of


def test_sessions_through_and_to_the_router_outlive_every_change(sites, router):
    """As an administrator's over ssh: from the LAN, from the WAN, across the link to the far router and back to this
    one, and to a host behind it. Changes of elements, of sets and chains, of prefixes that others use; twice each."""
    a, b = sites
    # Names that changes leave alone, for the sessions; others come and go.
    base = router.toml.read_text()
    ways = {
        "LAN to the router": a.host.dial("192.168.1.1"),
        "WAN to the router": a.stranger.dial(a.wan),
        "LAN through the router to the WAN": a.host.dial("198.51.100.66"),
        "LAN through the link to D": a.host.dial("240.2.2.20"),
        "LAN through the link to the far router": a.host.dial("240.2.2.1"),
        "D through the link to the router": b.host.dial("240.1.1.1"),
        "D through the link to C": b.host.dial("240.1.1.20"),
        "the router to D": a.router.dial("240.2.2.20"),
    }
    for session in ways.values():
        session.settimeout(20)
        assert session.recv(200)

    def all_alive(when):
        for name, session in ways.items():
            line = f"{name} {when} {time.monotonic()}".encode()
            session.sendall(line)
            assert session.recv(len(line) + 100) == line, f"{name} {when}"

    all_alive("before")
    third = '\n[[peer]]\nname = "c"\nvirtual = "240.3.3.0/24"\nlink = { dev = "ov0", via = "172.31.0.3" }\n'
    host = '\n[[map]]\nvirtual = "240.1.1.77"\nreal = "10.10.10.77"\n'
    variants = {
        "a peer more": base + third,
        "a host more": base + host + third,
        "a peer by SOCKS": base + third.replace('{ dev = "ov0", via = "172.31.0.3" }', '{ socks5 = "127.0.0.1:1080" }'),
        "a LAN less": base.replace('["lan0", "lan1"]', '["lan0"]'),
    }
    for name, text in variants.items():
        router.apply(text)
        all_alive(name)
        router.apply()
        all_alive(f"{name}, again")
        router.apply_on_trial(LATER, base)
        all_alive(f"{name}, a trial of the former")
        router.rollback()
        all_alive(f"{name}, rolled back")
    # The table made anew from nothing, as after a flush by somebody else.
    router.run("nft", "delete", "table", "inet", "natctl")
    router.apply(base)
    all_alive("the table made anew")
    router.apply_on_trial(SOON, variants["a peer more"])
    all_alive("on trial")
    watch_is_gone(router, watch_of(router))
    all_alive("returned by itself")
    for session in ways.values():
        session.close()
    assert json.loads(router.natctl("status", "--json").stdout)["state"] == "changed", "site.toml is as it was tried"
