# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 before every system call of natctl that leaves a trace: what stands then is safe, and mended by whatever
comes next.

    C --- [router a] === ov0 === [router b] --- D

Routes and rules follow the table one by one, so "safe" is: the table and the files are the old or the new ones as a
whole, and no packet for the peer, or from a LAN, gets out on the WAN.
"""

import ipaddress
import re

import pytest

from natlab import Capture, Rain, eventually
from natlab.killer import run_and_kill

pytestmark = pytest.mark.slow

VIRTUAL = ipaddress.ip_network("240.0.0.0/4")
#: More than any of these commands takes: for a walk that never ends.
TOO_MANY = 500


def state(router):
    # Rules of one preference, for one interface each, stand in any order.
    return router.table_words(), sorted(router.policy().splitlines()), router.confirmed_text()


def put(router, text):
    """Into the state that this configuration gives, or none."""
    if text is None:
        router.down()
    else:
        router.apply(text)
    return state(router)


def walk(router, command, old, new, mend):
    """Kills the command, which leads from configuration `old` to `new` (None: nothing), at each of its steps.
    mend(step) is called each time and leads to one of the two."""
    states = [put(router, new), put(router, old)]
    tables, files = [s[0] for s in states], [s[2] for s in states]
    for step in range(1, TOO_MANY):
        put(router, old)
        if new is not None:
            router.configure(new)
        killed = run_and_kill(router, command, step)
        assert router.table_words() in tables, f"killed at step {step}, {killed}: a mixture of tables"
        assert router.confirmed_text() in files, f"killed at step {step}, {killed}: a mixture of files"
        if killed is None:
            assert step > 10, "there is more to do than that"
            assert state(router) == states[0], "unharmed it leads to the new state"
            return
        wanted = states[mend(step)]
        assert state(router) == wanted, f"killed at step {step}, {killed}: not mended"


def test_from_nothing(sites):
    router = sites[0].router
    text = router.toml.read_text()

    def mend(step):
        router.natctl(("apply", "down")[step % 2])
        return step % 2

    walk(router, router.command("apply", router.toml), None, text, mend)


def test_down(sites):
    router = sites[0].router
    text = router.toml.read_text()

    def mend(step):
        router.natctl(("down", "apply")[step % 2])
        return step % 2

    walk(router, router.command("down"), text, None, mend)


@pytest.mark.parametrize("change", ["a peer more", "another link"])
def test_a_change_in_the_rain(sites, change):
    """From one configuration to another and back by rollback, the peer in both of them. All the while it rains on the
    peer, and nothing of it reaches the WAN."""
    a, _ = sites
    router = a.router
    old = router.toml.read_text()
    if change == "a peer more":
        new = old + '\n[[peer]]\nname = "c"\nvirtual = "240.3.3.0/24"\nlink = { dev = "ov0", via = "172.31.0.3" }\n'
    else:
        new = re.sub("^link .*$", 'link = { socks5 = "127.0.0.1:1080" }', old, flags=re.MULTILINE)
    router.apply(old)
    with (
        Capture(sites[0].router.lab.network.switches, "wan") as wan,
        Rain(a.host, "240.2.2.20") as rain,
        Rain(router, "240.2.2.20"),
    ):

        def mend(step):
            seen = rain.sent
            eventually(lambda: rain.sent > seen + 40, what="it rains on what was left")
            if step % 2 or router.confirmed_text() != old:
                router.natctl("apply")
                return 0
            router.rollback()
            return 1

        walk(router, router.command("apply", router.toml), old, new, mend)
    leaked = [p for p in wan.packets() if p.source in VIRTUAL or p.destination in VIRTUAL]
    assert not leaked


def test_a_trial(sites):
    """Killed in the middle of it, the former state comes back by rollback, as it would by the process that waits."""
    router = sites[0].router
    old = router.toml.read_text()
    new = old.replace("240.2.2.0/24", "240.4.4.0/24")
    former = put(router, old)
    for step in range(1, TOO_MANY):
        router.configure(new)
        killed = run_and_kill(router, router.command("apply", router.toml, "--confirm", "3600"), step)
        assert router.confirmed_text() == old
        if killed is None:
            assert step > 10 and router.trial()["watched"]
        router.rollback()
        assert state(router) == former, f"killed at step {step}, {killed}"
        assert router.trial_files() == []
        if killed is None:
            return
    raise AssertionError("it never ended")


def test_the_white_list_at_run_time(sites):
    """Killed in the middle of it, the file is the old or the new one, and the kernel holds what the file says as soon
    as anything is applied."""
    router = sites[0].router
    router.apply()
    entry = "203.0.113.7"
    file = router.run_dir / "white_list"
    for step in range(1, TOO_MANY):
        killed = run_and_kill(router, router.command("whitelist", "add", entry), step)
        listed = file.exists()
        if listed:
            assert file.read_text().splitlines()[1:] == [f"{entry}/32 -"], f"killed at step {step}, {killed}"
        held = entry in router.ruleset("inet natctl")
        assert listed or not held, f"killed at step {step}, {killed}: in the kernel alone"
        if killed is None:
            assert step > 5 and held
            return
        router.natctl("apply")
        assert (entry in router.ruleset("inet natctl")) == listed, f"killed at step {step}, {killed}: not mended"
        if listed:
            router.run(*router.command("whitelist", "del", entry))
            assert not file.exists() and entry not in router.ruleset("inet natctl")
    raise AssertionError("it never ended")
