# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor, and faults for it to find.

Each fault is seeded alone. Doctor has to name it by the right check, in words that say what and where. Then the
commands that it prints are run as they stand; what people have to do by hand comes after that. In the end it finds
nothing again.
"""

import json
import os
from dataclasses import dataclass, field

DONE, FAILED = 0, 1


def diagnose(router, *options):
    """All findings."""
    result = router.natctl("doctor", "--json", "--all", *options, check=False)
    answer = json.loads(result.stdout)
    errors = [finding for finding in answer["findings"] if finding["severity"] == "error"]
    assert result.code == (FAILED if errors else DONE), str(result)
    assert answer["ok"] == (not errors)
    return answer["findings"]


def serious(findings):
    return [finding for finding in findings if finding["severity"] in ("error", "warning")]


def find(router, check):
    """What one check has to say."""
    return [finding for finding in serious(diagnose(router)) if finding["check"] == check]


def run(router, line, check=True):
    """As an administrator types it."""
    path = f"{router.lab.binaries}:{os.environ['PATH']}:/usr/sbin:/sbin"
    return router.run("sh", "-c", line, env={"PATH": path}, check=check)


def assert_healthy(router):
    assert serious(diagnose(router)) == []


@dataclass
class Fault:
    """`seed` and `by_hand`: lines for the shell of the site's router, or functions of the site and its peer."""

    name: str
    #: The check that has to find it, and words that it has to say.
    check: str
    words: list
    seed: list
    #: The command that mends it is printed.
    command: bool = True
    #: What no printed command can do.
    by_hand: list = field(default_factory=list)

    def __str__(self):
        return self.name


def do(sites, steps):
    for step in steps:
        step(*sites) if callable(step) else run(sites[0].router, step)


def try_out(sites, fault):
    """At the first of two sites, which is healthy before and after."""
    router = sites[0].router
    assert_healthy(router)
    do(sites, fault.seed)
    try:
        found = find(router, fault.check)
        assert found, f"not found: {serious(diagnose(router))}"
        said = " ".join(" ".join(finding.values()) for finding in found)
        assert all(word in said for word in fault.words), said
        assert all(finding.get("command") or finding.get("advice") for finding in found), found
        assert all(finding["why"] for finding in found), found
        if fault.command:
            assert any("command" in finding for finding in found), found
            # Several rounds: an interface that comes up has lost its routes.
            for _ in range(4):
                commands = {finding["command"]: None for finding in serious(diagnose(router)) if "command" in finding}
                for command in commands:
                    # What people have to do first may still be missing.
                    run(router, command, check=not fault.by_hand)
                if not commands:
                    break
        if fault.command and not fault.by_hand:
            assert_healthy(router)
    finally:
        do(sites, fault.by_hand)
    if any(finding["check"] in ("table", "routes", "policy-rules") for finding in serious(diagnose(router))):
        router.apply()
    assert_healthy(router)


def foreign(rules, hook="forward", kind="filter", priority="0", policy="accept", family="inet"):
    """A firewall of somebody else's with one chain, and the line that loads it."""
    body = f"type {kind} hook {hook} priority {priority}; policy {policy}; {rules};"
    return f"nft 'table {family} foreign {{ chain guard {{ {body} }}; }}'"


NO_FOREIGN = ["nft delete table inet foreign 2>/dev/null || nft delete table ip foreign"]
