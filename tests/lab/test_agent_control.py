# SPDX-License-Identifier: GPL-3.0-or-later
"""The control socket of natctl-agent: what it tells and does, and what it takes no harm from."""

import grp
import json
import os
import shutil
import socket

import pytest

from natlab import eventually, netfilter

MALFORMED = [b"\n", b"status\n", b"{}\n", b"[]\n", b'{"do":1}\n', b'{"do":"x"}\n', b"\xff\xfe\0\n"]
MALFORMED.append(b"[" * 60_000 + b"\n")


class Client:
    """Somebody who talks to the agent, line by line."""

    def __init__(self, router, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(router.run_dir / "natctl-agent.sock"))
        self.lines = self.socket.makefile("rb")
        hello = self.read()
        assert hello["program"] == "natctl-agent" and hello["version"] == 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def read(self):
        line = self.lines.readline()
        assert line.endswith(b"\n"), f"it hung up: {line!r}"
        return json.loads(line)

    def send(self, data):
        self.socket.sendall(data)
        return self.read()

    def do(self, what, **more):
        return self.send(json.dumps({"do": what, **more}).encode() + b"\n")


@pytest.fixture
def kept(sites):
    """Router a with an agent."""
    router = sites[0].router
    router.keep_up()
    return router


def test_status_says_how_things_stand(kept):
    with Client(kept) as client:
        status = client.do("status")["status"]
    assert status["site"] == "a" and status["process"] == kept.agent.pid
    assert status["failure"] is None and not status["fighting"]
    kept.run("nft", "flush", "ruleset")

    def told():
        return json.loads(kept.natctl("status", "--json").stdout)["agent"]

    eventually(lambda: told()["repairs"] == 1, what="the repair is counted")
    assert any("put back: table inet natctl" in event["text"] for event in told()["events"])
    assert "  agent keeps it up since " in kept.natctl("status").stdout
    kept.agent.stop()
    assert told() is None
    assert not (kept.run_dir / "natctl-agent.sock").exists()


def test_those_who_watch_see_everything(kept):
    first = kept.start("natctl-watch", *kept.command("watch"))
    second = kept.start("natctl-watch-json", *kept.command("watch", "--json"))
    first.wait_until(lambda: "applied " in first.stdout, "it tells what has been")
    second.wait_until(lambda: "applied " in second.stdout, "so does the other")
    kept.run("nft", "delete", "table", "inet", "natctl")
    first.wait_until(lambda: "put back: table inet natctl" in first.stdout, "it tells what is")
    second.wait_until(lambda: "put back" in second.stdout, "so does the other")
    event = json.loads(second.stdout.splitlines()[-1])
    assert event["weight"] == "warning" and "nft (process " in event["text"]
    kept.agent.stop()
    assert first.wait() == 1 and "has ended" in first.stderr


def test_it_applies_and_goes_back_on_request(kept):
    good = kept.toml.read_text()
    other = kept.directory / "other.toml"
    other.write_text(good.replace("240.2.2.0/24", "240.4.4.0/24"))

    def put_on_trial(path):
        kept.run(*kept.command("apply", "--confirm", 3600, path))

    with Client(kept) as client:
        assert client.do("plan") == {"ok": True, "pending": False, "changes": ""}
        assert client.do("apply")["changed"] is False
        assert client.do("apply", config=str(other), confirm=3600)["confirm_within"] == 3600
        assert client.do("rollback")["changed"]
        refused = client.do("apply", config="/nowhere/site.toml")
        assert not refused["ok"] and "cannot read /nowhere/site.toml" in refused["error"]
        refused = client.do("confirm")
        assert not refused["ok"] and "nothing is on trial" in refused["error"]

        put_on_trial(other)
        assert client.do("confirm")["ok"]
        assert "240.4.4.0/24" in kept.confirmed_text()
        put_on_trial(kept.toml)
        assert client.do("rollback")["changed"]
        assert "240.4.4.0/24" in kept.ruleset("inet natctl")

        kept.configure("site = \n")
        refused = client.do("apply")
        assert not refused["ok"] and "has mistakes" in refused["error"]
        assert "site.toml:1:" in kept.agent.stderr
        kept.configure(good + "\n# as before\n")
        assert client.do("apply")["ok"]
        assert "240.2.2.0/24" in kept.ruleset("inet natctl")


def test_the_white_list_is_changed_on_request(kept):
    with Client(kept) as client:

        def whitelist(**what):
            return client.send(json.dumps({"do": "whitelist", **what}).encode() + b"\n")

        assert whitelist()["entries"] == []
        assert whitelist(add=["203.0.113.0/24"])["changed"]
        assert whitelist(add=["2001:db8::1"], seconds=3600)["changed"]
        assert netfilter.elements(kept, "white_now4") == {"203.0.113.0/24"}
        told = {entry["addresses"]: entry["seconds_left"] for entry in whitelist()["entries"]}
        assert told.keys() == {"203.0.113.0/24", "2001:db8::1/128"}
        assert told["203.0.113.0/24"] is None and 3500 < told["2001:db8::1/128"] <= 3600
        for words, why in {
            ("add", "240.2.2.20"): "lies in 240.2.2.0/24 of peer b",
            ("add", "proxy.test"): "proxy.test is a name",
            ("add", "203.0.113.1:80"): "neither an address, nor a prefix",
            ("del", "198.51.100.1"): "was not added at run time",
        }.items():
            refused = whitelist(**{words[0]: [words[1]]})
            assert not refused["ok"] and why in refused["error"], refused
        assert whitelist(**{"del": ["203.0.113.0/24"]})["changed"]
        assert netfilter.elements(kept, "white_now4") == set()
    assert not kept.changes_pending()


def test_a_service_manager_is_told(kept):
    """Type=notify with a watchdog, as systemd does it."""
    kept.agent.stop()
    path = kept.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        program = kept.lab.program("natctl-agent")
        places = ["--config", kept.toml, "--run-dir", kept.run_dir, "--state-dir", kept.state_dir]
        environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}
        agent = kept.start("natctl-agent-service", program, *places, env=environment)
        assert [manager.recv(1000) for _ in range(4)] == [
            b"STATUS=keeps site a",
            b"READY=1",
            b"WATCHDOG=1",
            b"WATCHDOG=1",
        ]
        agent.send("SIGTERM")
        said = [manager.recv(1000)]
        while said[-1] == b"WATCHDOG=1":
            said.append(manager.recv(1000))
        assert said[-1] == b"STOPPING=1"
        assert agent.wait() == 0


def test_only_root_and_the_group_may_connect(kept):
    path = kept.run_dir / "natctl-agent.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    kept.agent.stop("SIGKILL")
    assert path.exists(), "nobody tidied up"
    group = grp.getgrgid(os.getgid() or 1)
    kept.agent = kept.start_agent("--group", group.gr_name)
    kept.agent.wait_until(lambda: path.stat().st_mode & 0o777 == 0o660, "the socket is there")
    assert path.stat().st_gid == group.gr_gid
    with Client(kept) as client:
        assert client.do("status")["ok"]
    kept.agent.stop()
    agent = kept.start_agent("--group", "nobody-has-this-name")
    assert agent.wait() == 1 and "cannot find group" in agent.stderr


def test_flows_are_told_as_natctl_tells_them(sites, kept):
    a, _ = sites
    with Client(kept) as client, a.host.dial("240.2.2.20") as flow:
        flow.recv(100)
        told = client.do("flows", peer="b", host="192.168.1.20")
        assert told["ok"] and told["count"] == 1
        (own,) = told["flows"]
        assert (own["real"], own["virtual"], own["far"], own["path"]) == (
            "192.168.1.20",
            "240.1.1.20",
            "240.2.2.20",
            "link",
        )
        same = json.loads(kept.natctl("flows", "--json", "--host", "192.168.1.20").stdout)
        assert [item["port"] for item in same] == [own["port"]]
        assert client.do("flows", peer="nobody") == {"ok": True, "count": 0, "flows": []}
        cut = client.do("flows", limit=1)
        assert len(cut["flows"]) == 1 <= cut["count"]


def test_no_request_does_harm(kept):
    for line in MALFORMED:
        with Client(kept) as client:
            assert client.send(line)["ok"] is False, line
            assert client.do("status")["ok"], "it goes on"
    with Client(kept) as client:
        try:
            answer = client.send(b"x" * 200_000)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it hung up while we were sending
        else:
            assert not answer["ok"] and "at most" in answer["error"]
    with Client(kept) as client:
        # A byte at a time, and two at once.
        for byte in b'{"do":"status"}':
            client.socket.sendall(bytes([byte]))
        assert client.send(b'\n{"do":"plan"}\n')["status"]["site"] == "a"
        assert client.read()["pending"] is False
    assert kept.agent.running


def test_a_hundred_clients_at_once_and_more_than_there_is_room_for(kept):
    clients = [Client(kept) for _ in range(100)]
    for client in clients:
        client.socket.sendall(b'{"do":"watch"}\n{"do":')
    for client in clients:
        assert client.read()["ok"]
    kept.run("nft", "delete", "table", "inet", "natctl")
    for client in clients:
        assert "put back" in client.read()["event"]["text"]
    more = [Client(kept) for _ in range(150)]
    assert more[-1].do("status")["ok"], "the newest is served"
    for client in clients + more:
        client.__exit__()
    with Client(kept) as client:
        assert client.do("status")["ok"]
    eventually(lambda: kept.agent.open_files() < 40, what="their descriptors are closed")


def test_one_who_never_reads_keeps_nobody_waiting(kept):
    with Client(kept) as silent:
        silent.socket.settimeout(2)
        try:
            for _ in range(100_000):
                silent.socket.sendall(b'{"do":"status"}\n' * 100)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        with Client(kept) as client:
            assert client.do("status")["ok"], "others are served"
    assert kept.agent.running


def test_one_who_goes_while_its_own_request_is_told_of(kept):
    good = kept.toml.read_text()
    for text in (good.replace("240.2.2.0/24", "240.4.4.0/24"), good):
        with Client(kept) as client:
            kept.configure(text)
            assert client.do("watch")["ok"]
            client.socket.sendall(b'{"do":"apply"}\n{"do":"plan"}\n')
        words = "240.4.4.0/24" if text != good else "240.2.2.0/24"
        eventually(lambda words=words: words in kept.ruleset("inet natctl"), what="it is done nevertheless")
    with Client(kept) as client:
        assert client.do("status")["ok"]


def test_an_answer_may_be_long(kept):
    """That about 90,000 maps is more than 4 MiB."""
    maps = kept.directory / "hosts.map"
    count = 90_000
    places = [f"{i // 62500}.{i // 250 % 250}.{i % 250 + 1}" for i in range(count)]
    maps.write_text("".join(f"241.{place} 10.{place}\n" for place in places))
    text = kept.toml.read_text().replace('lan  = ["lan0", "lan1"]', 'lan  = ["lan0", "lan1"]\nmaps = "hosts.map"')
    other = kept.directory / "other.toml"
    other.write_text(text)
    with Client(kept, timeout=120) as client:
        answer = client.do("apply", config=str(other))
        assert answer["ok"] and answer["changed"] and len(answer["changes"]) > 4 << 20
        assert client.do("status")["ok"]


def test_what_is_done_by_request_is_told_with_who_asked(kept):
    with Client(kept) as watching, Client(kept) as client:
        assert watching.do("watch")["ok"]
        changes = client.do("status")["status"]["changes"]
        told = lambda: watching.read()["event"]["text"]
        client.do("whitelist", add=["203.0.113.0/24"])
        assert told() == "user 0 put 203.0.113.0/24 on the white list: white_now4 +1"
        client.do("whitelist", **{"del": ["203.0.113.0/24"]})
        assert told().startswith("user 0 took 203.0.113.0/24 off the white list")
        kept.configure(kept.toml.read_text() + "\n# another\n")
        client.do("apply", confirm=3600)
        client.do("confirm")
        assert told() == "user 0 confirmed the configuration on trial"
        client.do("apply", confirm=3600)
        client.do("rollback")
        assert told() == "user 0 rolled back"
        client.do("down")
        assert told().startswith("user 0 took down all that is natctl's: ")
        assert client.do("status")["status"]["changes"] > changes


@pytest.fixture
def as_nobody(kept):
    """Runs natctl as a user without any right, in a group of its own choice."""
    kept.lab.directory.chmod(0o711)
    kept.directory.chmod(0o755)
    program = shutil.copy(kept.lab.program("natctl"), kept.lab.directory / "natctl-for-all")

    def run(group, verb, *words, check=True):
        user = ("setpriv", "--reuid", "65534", "--regid", str(group), "--clear-groups", "--inh-caps=-all")
        return kept.run(*user, program, *kept.command(verb)[1:], *words, check=check)

    return run


def test_who_may_use_the_socket_needs_no_other_right(kept, as_nobody):
    """So it is the agent that does what natctl is asked for."""
    member, stranger = 1, 65534
    kept.agent.stop()
    kept.keep_up("--group", grp.getgrgid(member).gr_name)
    good = kept.toml.read_text()
    other = kept.directory / "other.toml"
    other.write_text(good.replace("240.2.2.0/24", "240.4.4.0/24"))

    as_nobody(member, "whitelist", "add", "203.0.113.0/24", "localhost", "--timeout", "1h")
    assert "203.0.113.0/24" in netfilter.elements(kept, "white_now4")
    listed = json.loads(kept.run(*kept.command("whitelist", "--config", kept.toml, "list", "--json")).stdout)["entries"]
    assert any(entry.get("name") == "localhost" for entry in listed)
    as_nobody(member, "whitelist", "del", "203.0.113.0/24", "localhost")
    assert netfilter.elements(kept, "white_now4") == set()
    refused = as_nobody(member, "whitelist", "del", "198.51.100.1", check=False)
    assert refused.code == 1 and "natctl: cannot delete 198.51.100.1" in refused.stderr

    # The agent sees that the file is another one, too.
    kept.configure(good + "\n# by a member of the group\n")
    as_nobody(member, "apply", kept.toml)
    assert "# by a member of the group" in kept.confirmed_text()
    assert json.loads(as_nobody(member, "plan", kept.toml, "--json").stdout) == {"pending": False, "changes": ""}

    as_nobody(member, "apply", kept.toml, "--confirm", 3600)
    assert kept.trial() is not None
    as_nobody(member, "confirm")
    kept.run(*kept.command("apply", "--confirm", 3600, other))
    as_nobody(member, "confirm")
    assert "240.4.4.0/24" in kept.confirmed_text()
    kept.run(*kept.command("apply", "--confirm", 3600, kept.toml))
    assert json.loads(as_nobody(member, "rollback", "--json").stdout)["changed"]
    assert "240.4.4.0/24" in kept.ruleset("inet natctl")

    for verb, *words in (("rollback",), ("confirm",), ("apply", kept.toml), ("whitelist", "add", "203.0.113.1")):
        alone = as_nobody(stranger, verb, *words, check=False)
        assert alone.code == 1 and "natctl: cannot" in alone.stderr, alone.stderr
    # It keeps another file.
    assert as_nobody(member, "apply", other, check=False).code == 1
    as_nobody(member, "down")
    assert kept.table_words() is None


def test_who_may_use_the_socket_sees_the_flows(sites, kept, as_nobody):
    member, stranger = 1, 65534
    kept.agent.stop()
    kept.keep_up("--group", grp.getgrgid(member).gr_name)
    with sites[0].host.dial("240.2.2.20") as flow, sites[0].host.dial("240.2.2.20") as other:
        for open_flow in (flow, other):
            open_flow.recv(100)
        port = flow.getsockname()[1]
        words = (kept.toml, "--peer", "b", "--host", "192.168.1.20", "--proto", "tcp", "--port", port)

        def essence(text):
            return [(found["real"], found["port"], found["far"], found["state"]) for found in json.loads(text)]

        told = essence(as_nobody(member, "flows", *words, "--json").stdout)
        assert told == essence(kept.natctl("flows", *words[1:], "--json").stdout)
        assert [found[1] for found in told] == [port]
        table = as_nobody(member, "flows", *words).stdout
        assert f"192.168.1.20:{port}" in table and "240.2.2.20:7007" in table
        assert as_nobody(stranger, "flows", *words, check=False).code == 1


def test_mistakes_are_told_to_who_asks(kept):
    kept.configure("site = \n")
    refused = kept.natctl("apply", check=False)
    assert refused.code == 1 and "site.toml:1:" in refused.stderr
    kept.agent.stop()
    kept.configure('site = "a"\nlan = ["nowhere0"]\n[[map]]\nvirtual = "240.1.1.0/24"\nreal = "192.168.1.0/24"\n')
    kept.keep_up()
    assert "warning: LAN interface nowhere0 does not exist" in kept.natctl("apply").stderr
