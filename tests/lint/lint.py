#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""lint.py --build DIR [--fast] [--recent N]: everything that can be said about the sources without running them.

DIR holds compile_commands.json for clang-tidy, which --fast leaves out and --recent gives only what the last N commits
changed. Prints a line for each check and ends with "N passed, N failed".
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import layers

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 120
# gcc 12's <coroutine> and asio 1.22 do not know that clang 14 has coroutines.
TIDY_ARGUMENTS = [
    "--extra-arg=-D__cpp_impl_coroutine=201902",
    "--extra-arg=-DASIO_HAS_CO_AWAIT",
    "--extra-arg=-DASIO_HAS_STD_COROUTINE",
    "--extra-arg=-Wno-unknown-warning-option",
]


def git(*words):
    """Also in a checkout that belongs to somebody else."""
    command = ["git", "-c", f"safe.directory={ROOT}", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def project_files():
    """What git knows or would add."""
    listed = git("ls-files", "-co", "--exclude-standard", "-z")
    listed.check_returncode()
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def changed_files(commits):
    """By the last commits and since; None where there are not so many: then all may have changed."""
    changed = git("diff", "--name-only", "-z", f"HEAD~{commits}")
    return None if changed.returncode else {f"{ROOT}/{name}" for name in changed.stdout.split("\0")}


def first_line(name):
    with open(ROOT / name, "rb") as file:
        return file.readline().decode(errors="replace")


def is_cpp(name):
    return name.endswith((".h", ".cpp"))


def is_python(name):
    return name.endswith(".py") or first_line(name).startswith("#!/usr/bin/python3")


def is_shell(name):
    return name.endswith((".sh", ".bash")) or first_line(name).startswith(("#!/bin/bash", "#!/bin/sh"))


def is_cmake(name):
    return name.endswith((".cmake", "CMakeLists.txt"))


def is_source(name):
    return is_cpp(name) or is_python(name) or is_shell(name) or is_cmake(name)


def run(command):
    """The faults of one command: its output when it fails."""
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [] if result.returncode == 0 else [result.stdout.rstrip() or f"{command[0]} failed: {result.returncode}"]


def format_faults(files):
    return run(["clang-format", "--dry-run", "-Werror", *filter(is_cpp, files)])


def layer_faults(_):
    return layers.check(ROOT)


def licence_faults(files):
    faults = []
    for name in filter(is_source, files):
        lines = (ROOT / name).read_text().split("\n", 2)
        line = lines[1] if lines[0].startswith("#!") else lines[0]
        if line not in ("// SPDX-License-Identifier: GPL-3.0-or-later", "# SPDX-License-Identifier: GPL-3.0-or-later"):
            faults.append(f"{name}:1: the licence line is missing: SPDX-License-Identifier: GPL-3.0-or-later")
    return faults


def text_faults(files):
    faults = []
    for name in files:
        written_by_hand = not name.startswith(("tests/fuzz/corpus/", "tests/golden/"))
        if not (is_source(name) or name.endswith((".md", ".toml", ".service", ".conf"))) or not written_by_hand:
            continue
        text = (ROOT / name).read_text()
        for number, line in enumerate(text.splitlines(), 1):
            # A row of a Markdown table cannot be broken.
            if len(line) > WIDTH and not (name.endswith(".md") and line.startswith("|")):
                faults.append(f"{name}:{number}: {len(line)} columns, at most {WIDTH}")
            if line != line.rstrip():
                faults.append(f"{name}:{number}: blanks at the end of the line")
        if text and not text.endswith("\n"):
            faults.append(f"{name}: no newline at the end")
    return faults


def shell_faults(files):
    return [fault for name in filter(is_shell, files) for fault in run(["bash", "-n", name])]


def python_faults(files):
    faults = []
    for name in filter(is_python, files):
        try:
            compile((ROOT / name).read_text(), name, "exec")
        except SyntaxError as error:
            faults.append(f"{name}:{error.lineno}: {error.msg}")
    return faults


def manual_faults(files):
    faults = []
    for name in files:
        if name.startswith("docs/man/"):
            command = ["groff", "-ww", "-mandoc", "-Tutf8", "-z", name]
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            faults += result.stderr.splitlines()
    return faults


def tidy_faults(build, recent):
    # What users run. In tests doctest's macros take most of the time, and clang 14 cannot parse some of them.
    # Each file once, though it may belong to several targets; the largest first, so that the last one is short.
    known = {os.path.realpath(entry["file"]) for entry in json.loads((build / "compile_commands.json").read_text())}
    files = [name for name in known if not name.startswith(f"{ROOT}/tests/") and os.path.exists(name)]
    if recent and (changed := changed_files(recent)) is not None:
        files = [name for name in files if name in changed]
    files.sort(key=os.path.getsize, reverse=True)

    def one(file):
        result = subprocess.run(
            ["clang-tidy", "--quiet", "-p", str(build), *TIDY_ARGUMENTS, file], cwd=ROOT, capture_output=True, text=True
        )
        return "" if result.returncode == 0 else result.stdout.rstrip() or result.stderr.rstrip()

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [text for text in pool.map(one, files) if text]


def main():
    parser = argparse.ArgumentParser(description="Checks the sources without running them.")
    parser.add_argument("--build", type=Path, required=True, help="build folder with compile_commands.json")
    parser.add_argument("--fast", action="store_true", help="without clang-tidy")
    parser.add_argument("--recent", type=int, metavar="N", help="clang-tidy for files of the last N commits alone")
    arguments = parser.parse_args()

    files = project_files()
    checks = {
        "format": format_faults,
        "layers": layer_faults,
        "licence lines": licence_faults,
        "text": text_faults,
        "shell": shell_faults,
        "python": python_faults,
        "manual pages": manual_faults,
    }
    if not arguments.fast:
        checks["clang-tidy"] = lambda _: tidy_faults(arguments.build, arguments.recent)
    failed = 0
    for name, check in checks.items():
        faults = check(files)
        failed += bool(faults)
        print("\n".join(faults) + f"\n{name}: {len(faults)} found" if faults else f"{name}: ok", flush=True)
    if arguments.fast:
        print("left out by --fast: clang-tidy")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
