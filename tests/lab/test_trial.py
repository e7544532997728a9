# SPDX-License-Identifier: GPL-3.0-or-later
"""`natctl apply --confirm`: whatever becomes of the one who gave the command, the confirmed state comes back.

    C --- [router a] === ov0 === [router b] --- D

On trial is a configuration under which site b is called 240.4.4.0/24, so that 240.2.2.20 is nobody.
"""

import json
import os
import re
import shlex
import signal
import time
from pathlib import Path

import pytest

from natlab import Veth, build_sites, configure, eventually

#: Seconds. Long enough to look at a trial before it ends, short enough to wait for the end.
SOON = 4
LATER = 3600


@pytest.fixture
def sites(lab):
    a, b = build_sites(lab)
    configure([a, b], Veth(lab, [a, b]))
    b.router.apply()
    return a, b


@pytest.fixture
def router(sites):
    """Router a with a confirmed state."""
    a, _ = sites
    a.router.apply()
    return a.router


def held(router):
    """What the kernel holds of natctl, and what the files say is confirmed."""
    confirmed = router.state_dir / "applied.toml"
    return held_table(router), router.policy(), confirmed.read_text() if confirmed.exists() else None


def held_table(router):
    """As nft lists it, and in words, as nft's order of elements in a set is any; None where there is no table."""
    listed = router.run("nft", "-s", "list", "table", "inet", "natctl", check=False)
    return (router.show(), sorted(re.findall(r"[^\s,{}]+", listed.stdout))) if listed.code == 0 else None


def tried(router):
    return router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24")


def watch_of(router):
    """The process that waits."""
    return int((router.state_dir / "trial").read_text().split()[5])


def has_ended(pid):
    return not Path(f"/proc/{pid}").exists()


def watch_is_gone(router, pid):
    return eventually(lambda: has_ended(pid), what="the process that waited has ended")


def test_unconfirmed_it_comes_back_by_itself(sites, router):
    a, _ = sites
    former = held(router)
    said = router.apply_on_trial(SOON, tried(router))
    assert f"{SOON} s" in said.stdout and "natctl confirm" in said.stdout
    watch = watch_of(router)
    assert "240.4.4.0/24" in router.ruleset("inet natctl")
    assert held(router)[2] == former[2], "nobody has confirmed it yet"

    watch_is_gone(router, watch)

    assert held(router) == former
    assert a.host.greeting("240.2.2.20").host == "D"
    assert router.trial() is None
    refused = router.confirm(check=False)
    assert refused.code == 1 and "nothing is on trial" in refused.stderr


def test_confirmed_it_stays(router):
    router.apply_on_trial(SOON, tried(router))
    watch = watch_of(router)
    on_trial = held(router)

    assert router.confirm().stdout == ""

    watch_is_gone(router, watch)
    assert held(router)[:2] == on_trial[:2]
    assert held(router)[2] == router.toml.read_text()
    assert router.confirm(check=False).code == 1, "once is enough"
    router.rollback()
    assert held(router)[:2] == on_trial[:2], "this is what was confirmed last"


def test_rollback_at_once_kernel_and_files(sites, router):
    a, _ = sites
    former = held(router)
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    assert held(router)[:2] != former[:2]

    router.rollback()

    assert held(router) == former
    assert a.host.greeting("240.2.2.20").host == "D"
    watch_is_gone(router, watch)


def test_rollback_mends_what_others_broke(router):
    former = held(router)
    router.run("nft", "delete", "table", "inet", "natctl")
    router.ip("route flush table 7000")
    router.rollback()
    assert held(router) == former


def test_nothing_confirmed_before_means_nothing(sites):
    a, _ = sites
    without = a.router.ruleset(), a.router.policy()
    a.router.apply_on_trial(SOON)
    watch_is_gone(a.router, watch_of(a.router))
    assert (a.router.ruleset(), a.router.policy()) == without

    a.router.apply_on_trial(LATER)
    a.router.rollback()
    assert (a.router.ruleset(), a.router.policy()) == without
    a.router.rollback()
    assert (a.router.ruleset(), a.router.policy()) == without


def test_status_counts_the_seconds(router):
    assert router.trial() is None
    router.apply_on_trial(LATER, tried(router))
    trial = router.trial()
    assert LATER - 60 < trial["seconds_left"] <= LATER
    assert trial["watched"] and not trial["restarted"]
    assert "natctl confirm" in router.natctl("status").stdout
    eventually(lambda: router.trial()["seconds_left"] < trial["seconds_left"], what="time passes")

    # Somebody killed the process that waits: said, not hidden.
    os.kill(watch_of(router), signal.SIGKILL)
    eventually(lambda: not router.trial()["watched"])
    assert "natctl rollback" in router.natctl("status").stdout
    router.rollback()
    assert router.trial() is None


def test_a_second_trial_is_refused_and_a_plain_apply_confirms(router):
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    before = held(router)
    second = router.natctl("apply", "--confirm", "5", check=False)
    assert second.code == 1 and "natctl rollback" in second.stderr
    assert held(router) == before and not has_ended(watch)

    router.apply()

    watch_is_gone(router, watch)
    assert router.trial() is None
    assert held(router)[2] == router.toml.read_text()


def test_down_ends_a_trial(router):
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    router.down()
    watch_is_gone(router, watch)
    assert "natctl" not in router.ruleset()
    assert list(router.state_dir.iterdir()) == []


@pytest.mark.parametrize("seconds", ["0", "-1", "86401", "soon"])
def test_seconds_have_to_make_sense(router, seconds):
    before = held(router)
    assert router.natctl("apply", "--confirm", seconds, check=False).code == 2
    assert held(router) == before


def test_a_refused_configuration_is_no_trial(router):
    """By the parser, and by the kernel."""
    former = held(router)
    good = router.toml.read_text()
    router.configure(good + "lan = \n")
    assert router.natctl("apply", "--confirm", "5", check=False).code == 1
    assert held(router) == former and router.trial_files() == []

    router.ip("route add 240.3.3.0/24 dev lan0 table 7000")
    occupied = held(router)
    router.configure(good.replace("240.2.2.0/24", "240.3.3.0/24"))
    result = router.natctl("apply", "--confirm", "5", check=False)
    assert result.code == 1 and "240.3.3.0/24" in result.stderr
    assert held(router) == occupied and router.trial_files() == []


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGKILL"])
def test_the_end_of_the_session_does_not_end_the_trial(router, name):
    """The caller's shell has a terminal of its own, as over ssh. All of its process group get the signal."""
    former = held(router)
    router.configure(tried(router))
    command = shlex.join(map(str, router.command("apply", router.toml, "--confirm", SOON)))
    shell = router.start("shell", "script", "-qefc", f"{command}; sleep 99", "/dev/null")
    eventually(lambda: "240.4.4.0/24" in router.ruleset("inet natctl"), what="it is on trial")
    watch = watch_of(router)
    assert os.getsid(watch) != os.getsid(shell.pid) and os.getpgid(watch) != os.getpgid(shell.pid)
    stat = Path(f"/proc/{watch}/stat").read_text().rpartition(")")[2].split()
    assert int(stat[1]) not in descendants(shell.pid), "it belongs to nobody of the session"
    assert stat[4] == "0", "it has no terminal"
    assert os.readlink(f"/proc/{watch}/cwd") == "/"
    assert {os.readlink(f"/proc/{watch}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}

    for pid in descendants(shell.pid):
        os.kill(pid, getattr(signal, name))
    shell.kill()

    assert not has_ended(watch)
    watch_is_gone(router, watch)
    assert held(router) == former


def descendants(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in children for each in descendants(int(child))] + [pid]


def test_it_keeps_no_descriptor_of_the_caller(router):
    router.apply_on_trial(LATER, tried(router))
    watch = watch_of(router)
    open_files = [os.readlink(f"/proc/{watch}/fd/{fd}") for fd in os.listdir(f"/proc/{watch}/fd")]
    assert len(open_files) == 6, open_files
    router.apply()


def test_the_return_is_tried_again_until_it_succeeds(router):
    """Meanwhile somebody's route stands where one of ours has to go back to."""
    former = held(router)
    router.apply_on_trial(SOON, tried(router))
    watch = watch_of(router)
    router.ip("route add 240.2.2.0/24 dev lan0 table 7000")
    eventually(lambda: router.trial()["seconds_left"] == 0, what="its time is over")
    assert not has_ended(watch)
    assert router.trial() is not None
    router.ip("route del 240.2.2.0/24 dev lan0 table 7000")
    watch_is_gone(router, watch)
    assert held(router) == former


def test_passwords_by_relative_paths_are_found_from_the_copy(lab):
    a, b = build_sites(lab)
    a.router.secret("b.password", "open sesame\n")
    link = f'{{ socks5 = "{b.wan}:1080", user = "a", password_file = "b.password" }} # "ü"'
    configure([a, b], Veth(lab, [a, b]))
    by_interface = a.router.toml.read_text()
    by_socks = re.sub("^link .*$", f"link = {link}", by_interface, flags=re.MULTILINE)
    a.router.apply(by_socks)
    copy = (a.router.state_dir / "applied.toml").read_text()
    assert f'"{a.router.directory}/b.password" }} # "ü"' in copy
    a.router.run(lab.program("natctl"), "check", a.router.state_dir / "applied.toml")
    former = held(a.router)

    a.router.apply_on_trial(LATER, by_interface)
    assert held(a.router)[:2] != former[:2]
    # The way back needs no password: the kernel holds none.
    (a.router.directory / "b.password").unlink()
    a.router.rollback()
    assert held(a.router) == former


def test_maps_files_come_back_as_they_were(sites, router):
    a, _ = sites
    maps = router.directory / "hosts.map"
    maps.write_text("240.1.1.77 10.10.10.5 files\n")
    router.apply('maps = "hosts.map"\n' + router.toml.read_text())
    former = held(router)
    assert "240.1.1.77" in former[0][0]

    maps.write_text("240.1.1.78 10.10.10.5 files\n")
    router.apply_on_trial(LATER)
    assert "240.1.1.78" in router.show()
    maps.unlink()
    router.rollback()

    assert held(router) == former
    maps.write_text("240.1.1.79 10.10.10.5\n")
    router.apply()
    assert len([file for file in router.state_dir.iterdir() if file.name.startswith("maps-")]) == 1
    router.down()
    assert list(router.state_dir.iterdir()) == []


# --- the agent, and restarts of the machine ------------------------------------------------------------------------


def restart_of_the_machine(router):
    """What the kernel held is gone, processes too, the clock begins anew; files stay."""
    watch = router.state_dir / "trial"
    if watch.exists():
        os.kill(watch_of(router), signal.SIGKILL)
        watch_is_gone(router, watch_of(router))
        record = watch.read_text().split()
        record[3] = "00000000-0000-0000-0000-000000000000"
        watch.write_text("deadline {1}\nboot {3}\nwatch {5}\n".format(*record))
    router.run("nft", "delete", "table", "inet", "natctl")
    for table in (7000, 7001, 7002, 7003):
        router.run("ip", "route", "flush", "table", table, check=False)
        router.run("ip", "-6", "route", "flush", "table", table, check=False)
    for priority in range(6000, 6006):
        for family in ("-4", "-6"):
            while router.run("ip", family, "rule", "del", "pref", priority, check=False).code == 0:
                pass


def test_after_a_restart_the_confirmed_state_comes_up(router):
    """Though site.toml is still the one that was on trial."""
    former = held(router)
    router.apply_on_trial(LATER, tried(router))
    restart_of_the_machine(router)
    assert held_table(router) is None

    agent = router.start_agent()

    eventually(lambda: held(router) == former, what="the confirmed state is up")
    eventually(lambda: "was on trial and not confirmed" in agent.stderr)
    agent.send("SIGHUP")
    eventually(lambda: agent.stderr.count("was on trial and not confirmed") == 2, what="a reload does not change that")
    assert held(router) == former

    # Whoever changes the file means it, and so does `natctl apply`.
    router.configure(tried(router) + "\n# really\n")
    agent.send("SIGHUP")
    eventually(lambda: not router.changes_pending(), what="the changed file is applied")
    assert "240.4.4.0/24" in router.ruleset("inet natctl")


def test_a_restart_in_the_first_trial_comes_up_empty_and_apply_takes_it(sites):
    a, _ = sites
    a.router.apply_on_trial(LATER)
    restart_of_the_machine(a.router)
    agent = a.router.start_agent()
    eventually(lambda: "was on trial and not confirmed" in agent.stderr)
    assert held_table(a.router) is None
    a.router.apply()
    assert a.host.greeting("240.2.2.20").host == "D"


def test_confirm_after_a_restart_says_that_the_trial_is_over(router):
    router.apply_on_trial(LATER, tried(router))
    restart_of_the_machine(router)
    assert router.trial()["restarted"]
    result = router.confirm(check=False)
    assert result.code == 1 and "started again" in result.stderr


def test_a_reload_of_the_agent_keeps_the_trial_and_mends_it(router):
    agent = router.start_agent()
    former = held(router)
    router.apply_on_trial(LATER, tried(router))
    on_trial = held(router)
    router.run("nft", "delete", "table", "inet", "natctl")
    agent.send("SIGHUP")
    eventually(lambda: held_table(router) == on_trial[0], what="the table is back")
    assert router.trial()["watched"], "as long as nobody confirms it"
    router.rollback()
    assert held(router) == former
    agent.send("SIGHUP")
    eventually(lambda: "not confirmed" in agent.stderr)
    assert held(router) == former


# --- no session is cut -----------------------------------------------------------------------------------------------


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
