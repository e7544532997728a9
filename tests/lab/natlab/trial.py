# SPDX-License-Identifier: GPL-3.0-or-later
"""`natctl apply --confirm`: what is on trial, who waits, and what stands meanwhile."""

from pathlib import Path

from .wait import eventually

#: Seconds. Long enough to look at a trial before it ends, short enough to wait for the end.
SOON = 4
LATER = 3600


def held(router):
    """What the kernel holds of natctl, and what the files say is confirmed."""
    return held_table(router), router.policy(), router.confirmed_text()


def held_table(router):
    """As natctl shows it, and in words as nft lists it; None where there is no table."""
    words = router.table_words()
    return None if words is None else (router.show(), words)


def tried(router):
    """A configuration to try: under it site b is called 240.4.4.0/24, so that 240.2.2.20 is nobody."""
    return router.toml.read_text().replace("240.2.2.0/24", "240.4.4.0/24")


def watch_of(router):
    """The process that waits."""
    return int((router.state_dir / "trial").read_text().split()[5])


def has_ended(pid):
    return not Path(f"/proc/{pid}").exists()


def watch_is_gone(router, pid):
    return eventually(lambda: has_ended(pid), what="the process that waited has ended")
