# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of the benchmark share: medians, ratios, tables, and on what machine they came about."""

import os
import platform
import statistics
import sys
from pathlib import Path


def machine():
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def describe(here):
    text = f"{here['cores']} x {here['processor']}, Linux {here['kernel']}, load {here['load_before']:.1f} before"
    if here["load_before"] > here["cores"] / 2:
        text += "\nThis machine was busy with other things: trust the ratios only, and these not far."
    return text


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "all": values}


def ratios(one, other):
    """Run by run, as neighbours in time share what else the machine does."""
    return [a / b for a, b in zip(one, other)]


def of_others(kinds, name, field, others=("v2ray", "kernel NAT")):
    """The ratios of that kind's figure to the others', as texts."""
    mine = kinds[name][field]["all"]
    return [f"{statistics.median(ratios(mine, kinds[other][field]['all'])):.2f}" for other in others]


def in_turn(kinds, number):
    """The order of run `number`: another one begins each time."""
    first = number % len(kinds)
    return kinds[first:] + kinds[:first]


def table(title, heads, rows):
    """Columns as wide as they need; the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [("", *heads), *rows]) for i in range(len(heads) + 1)]

    def line(cells):
        numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))
        return "   ".join(["  " + cells[0].ljust(widths[0]), *numbers]).rstrip()

    return "\n".join([title, line(("", *heads)), *(line(row) for row in rows)])


def progress(text):
    """One line that is always the latest; only where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r{text:<78}\r{text}", end="", file=sys.stderr, flush=True)
