# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something to become true, with a deadline and the last thing seen in the message."""

import time

#: Seconds. Generous: a deadline is for telling a hang from a slow machine, not for measuring.
DEADLINE = 30.0
INTERVAL = 0.02


class Never(AssertionError):
    """What was waited for did not come true before the deadline."""


def eventually(condition, deadline=DEADLINE, what=None):
    """Calls condition() until it returns something true, and returns that.

    AssertionError and OSError mean "not yet". The message of Never holds the last value or error.
    """
    end = time.monotonic() + deadline
    while True:
        try:
            last = condition()
            if last:
                return last
        except (AssertionError, OSError) as error:
            last = f"{type(error).__name__}: {error}"
        if time.monotonic() >= end:
            name = what or getattr(condition, "__name__", "the condition")
            raise Never(f"not within {deadline:g} s: {name}; last seen: {last}")
        time.sleep(INTERVAL)


def always(condition, seconds, what=None):
    """Checks condition() again and again for so many seconds; fails the first time it is not true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"no longer true: {what or condition!r}"
        time.sleep(INTERVAL)
