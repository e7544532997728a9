# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened so far in a lab, for the reader of a failure."""

import threading
import time

#: Characters of one command's output that the story keeps.
LONGEST = 4000


class Story:
    def __init__(self):
        self._begin = time.monotonic()
        self._lines = []
        self._lock = threading.Lock()

    def tell(self, where, what, detail=""):
        line = f"{time.monotonic() - self._begin:8.3f}  {where:<8} {what}"
        detail = detail.rstrip()
        if len(detail) > LONGEST:
            detail = detail[: LONGEST // 2] + "\n[...]\n" + detail[-LONGEST // 2 :]
        if detail:
            line += "\n" + indent(detail)
        with self._lock:
            self._lines.append(line)

    def __str__(self):
        with self._lock:
            return "\n".join(self._lines)


def indent(text, by=20):
    return "\n".join(" " * by + line for line in text.splitlines())
