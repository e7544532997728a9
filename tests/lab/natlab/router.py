# SPDX-License-Identifier: GPL-3.0-or-later
"""A router with natctl on it."""

import json
import re
import socket

from . import netfilter
from .greeter import PORT
from .machine import Machine
from .story import indent
from .wait import DEADLINE


class Router(Machine):
    """Forwards as a real one does: strict reverse path filter, src_valid_mark as wg-quick sets it, and somebody
    else's rules that masquerade on the WAN."""

    def __init__(self, lab, name, label):
        super().__init__(lab, name, label)
        self.directory = lab.directory / label
        self.directory.mkdir(exist_ok=True)
        self.toml = self.directory / "site.toml"
        self.run_dir = self.directory / "run"
        self.state_dir = self.directory / "state"
        self.run_dir.mkdir(exist_ok=True)
        self.state_dir.mkdir(exist_ok=True)
        self.sysctl(
            net__ipv4__ip_forward=1,
            net__ipv6__conf__all__forwarding=1,
            net__ipv4__conf__all__rp_filter=1,
            net__ipv4__conf__all__src_valid_mark=1,
        )
        lab.describe_with(self.describe)

    def masquerade(self, interface, family="ip"):
        """What leaves by the interface has its address; `family`: ip or ip6."""
        self.nft(
            f"""
            table {family} internet {{
                chain postrouting {{
                    type nat hook postrouting priority srcnat;
                    oifname "{interface}" masquerade
                }}
            }}
            """
        )

    # --- natctl ----------------------------------------------------------------------------------------------------

    def configure(self, text):
        """Writes site.toml."""
        self.toml.write_text(text)

    def secret(self, name, text):
        """A file that only root may read."""
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    @property
    def _places(self):
        return ("--run-dir", self.run_dir, "--state-dir", self.state_dir)

    def command(self, verb, *options):
        """The command line of a verb, with this router's directories."""
        return [self.lab.program("natctl"), verb, *self._places, *options]

    def natctl(self, verb, *options, check=True):
        """A verb that takes site.toml."""
        return self.run(*self.command(verb, self.toml, *options), check=check)

    def apply(self, text=None):
        if text is not None:
            self.configure(text)
        return self.natctl("apply")

    def apply_on_trial(self, seconds, text=None):
        """Comes back by itself unless confirm() follows."""
        if text is not None:
            self.configure(text)
        return self.natctl("apply", "--confirm", seconds)

    def confirm(self, check=True):
        return self.run(*self.command("confirm"), check=check)

    def rollback(self):
        return self.run(*self.command("rollback"))

    def trial(self):
        """What status says about a trial; None when none is on."""
        return json.loads(self.natctl("status", "--json").stdout)["trial"]

    def trial_files(self):
        """Names of the files that exist while a trial is on."""
        return [name for name in ("trial", "on-trial.toml") if (self.state_dir / name).exists()]

    def changes_pending(self):
        """What `natctl plan` prints when it finds something to do; nothing when all is as it should be."""
        result = self.natctl("plan", check=False)
        assert result.code in (0, 3), str(result)
        assert (result.code == 3) == bool(result.stdout.strip()), f"exit code and output disagree: {result}"
        return result.stdout

    def confirmed_text(self):
        """What was applied last and is not on trial; None when nothing was."""
        file = self.state_dir / "applied.toml"
        return file.read_text() if file.exists() else None

    def show(self):
        return self.natctl("show").stdout

    def down(self):
        return self.natctl("down")

    def trace(self, source, destination, protocol="tcp", port=PORT, *options):
        """What `natctl trace --json` says, which does not contradict its exit code."""
        command = (self.lab.program("natctl"), "trace", source, destination, protocol, port, "--config", self.toml)
        result = self.run(*command, "--json", *options, check=False)
        assert result.code in (0, 1) and not result.stderr, str(result)
        found = json.loads(result.stdout)
        assert found["passes"] == (result.code == 0), str(result)
        assert found["doubts"] == [], str(result)
        return found

    def start_tunnel(self, *under, options=()):
        """natctl-tunnel, ready to take connections; also called `tunnel` from then on. `under`: the words of a command
        that becomes it, such as setpriv."""
        ready = self.run_dir / "natctl-tunnel.ready"
        ready.unlink(missing_ok=True)
        self.tunnel = self.start(
            "natctl-tunnel", *under, self.lab.program("natctl-tunnel"), "--config", self.toml, *self._places, *options
        )

        def says_so():
            return ready.exists() and ready.read_text().strip() == str(self.tunnel.pid)

        return self.tunnel.wait_until(says_so, f"it writes its process id to {ready.name}")

    def start_agent(self, *options, under=()):
        """natctl-agent. It applies site.toml in its own time. `under`: as with start_tunnel()."""
        program = self.lab.program("natctl-agent")
        return self.start("natctl-agent", *under, program, "--config", self.toml, *self._places, *options)

    def keep_up(self, *options, under=()):
        """natctl-agent, which has applied site.toml and looked at what came of it; also called `agent` from then on."""
        self.agent = self.start_agent(*options, under=under)
        return self.agent.wait_until(self._agent_has_looked, "the agent has applied site.toml")

    def _agent_has_looked(self):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(DEADLINE)
            asking.connect(str(self.run_dir / "natctl-agent.sock"))
            with asking.makefile("rw") as lines:
                lines.readline()
                print('{"do":"status"}', file=lines, flush=True)
                return json.loads(lines.readline())["status"]["looks"] > 0

    # --- what the kernel holds, as its own tools list it -------------------------------------------------------------

    def ruleset(self, table=None):
        """As nft lists it, without counter values."""
        return self.run("nft", "-s", "list", *(("table", *table.split()) if table else ("ruleset",))).stdout

    def table_words(self):
        """The words of our table as nft lists it, sorted: nft's order of elements in a set is any. None where there
        is no table."""
        listed = self.run("nft", "-s", "list", "table", "inet", "natctl", check=False)
        return sorted(re.findall(r"[^\s,{}]+", listed.stdout)) if listed.code == 0 else None

    def policy(self):
        """All policy rules and all routes of all tables."""
        parts = []
        for family in ("-4", "-6"):
            parts.append(self.run("ip", "-d", family, "rule").stdout)
            parts.append(self.run("ip", "-d", family, "route", "show", "table", "all").stdout)
        return "".join(parts)

    def nft_generation(self):
        """Moves with every change to any rule of the machine."""
        return netfilter.generation(self)

    def describe(self):
        parts = [f"=== {self.label}: site.toml", indent(self.toml.read_text(), 4) if self.toml.exists() else "    none"]
        shown = self.natctl("show", check=False)
        parts += [f"=== {self.label}: natctl show", indent(shown.stdout + shown.stderr, 4)]
        parts += [f"=== {self.label}: rules and routes", indent(self.policy(), 4)]
        return "\n".join(parts)
