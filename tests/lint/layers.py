#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""layers.py [ROOT]: the arrows between layers go one way, in the includes and in what CMake links.

base <- site <- plan <- kernel <- doctor <- cli;  kernel <- agent;  base, site <- tunnel;  base, site <- xray <- cli;
base <- socket <- kernel, tunnel.
base, site, plan, xray and the tunnel's codecs (the sources of CMake target natctl_tunnel_codec) are pure: values in,
values out, so they neither include nor link anything that talks to the kernel or the network.
"""

import re
import sys
from pathlib import Path

FOLDERS = {
    "nftctl/base": "base",
    "nftctl/socket": "socket",
    "nftctl/site": "site",
    "nftctl/plan": "plan",
    "nftctl/kernel": "kernel",
    "nftctl/doctor": "doctor",
    "nftctl/xray": "xray",
    "nftctl/cli": "cli",
    "agent": "agent",
    "tunnel": "tunnel",
}
MAY_USE = {
    "base": set(),
    "socket": {"base"},
    "site": {"base"},
    "plan": {"base", "site"},
    "kernel": {"base", "socket", "site", "plan"},
    "doctor": {"base", "socket", "site", "plan", "kernel"},
    "xray": {"base", "site"},
    "cli": {"base", "socket", "site", "plan", "kernel", "doctor", "xray"},
    "agent": {"base", "socket", "site", "plan", "kernel", "xray"},
    "codec": {"base", "site"},
    "tunnel": {"base", "socket", "site", "codec"},
}
PURE = {"base", "site", "plan", "xray", "codec"}
CODEC_TARGET = "natctl_tunnel_codec"

IMPURE_HEADER = re.compile(
    r"(libmnl|libnftnl|libnetfilter_conntrack|asio|linux|net|netinet)/|asio\.hpp$|sys/socket\.h$"
)
IMPURE_LIBRARY = re.compile(r"mnl|nftnl|conntrack|asio", re.IGNORECASE)

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')
COMMAND = re.compile(
    r"\b(add_library|add_executable|target_link_libraries|target_sources)\s*\(([^)]*)\)", re.IGNORECASE
)


class CMake:
    """The targets that the lists of the layers define. Understands plain lists, which is all that they may contain."""

    def __init__(self, root):
        self.layer_of = {}  # target -> layer
        self.sources = {}  # target -> paths from the root
        self.links = []  # (file, line, target, library)
        for folder, layer in FOLDERS.items():
            for path in lists_below(root / folder):
                self._read(root, path, layer)

    def _read(self, root, path, layer):
        text = re.sub(r"#[^\n]*", "", path.read_text())
        for match in COMMAND.finditer(text):
            command, (target, *words) = match[1].lower(), match[2].split()
            line = text.count("\n", 0, match.start()) + 1
            if command == "target_link_libraries":
                keywords = {"PUBLIC", "PRIVATE", "INTERFACE"}
                self.links += [(path, line, target, word) for word in words if word not in keywords]
                continue
            self.layer_of.setdefault(target, "codec" if target == CODEC_TARGET else layer)
            here = path.parent.relative_to(root)
            self.sources.setdefault(target, []).extend(str(here / word) for word in words if "." in word)


def lists_below(folder):
    if not folder.is_dir():
        return []
    return sorted([*folder.rglob("CMakeLists.txt"), *folder.rglob("*.cmake")])


def layer_of_file(name, codec_stems):
    for folder, layer in FOLDERS.items():
        if name.startswith(folder + "/"):
            return "codec" if layer == "tunnel" and name.rpartition(".")[0] in codec_stems else layer
    return None


def check_includes(root, cmake):
    codec_stems = {name.rpartition(".")[0] for name in cmake.sources.get(CODEC_TARGET, [])}
    for folder in FOLDERS:
        for path in sorted([*(root / folder).rglob("*.h"), *(root / folder).rglob("*.cpp")]):
            layer = layer_of_file(str(path.relative_to(root)), codec_stems)
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if match is None:
                    continue
                fault = fault_of_include(layer, match[1], match[2], codec_stems)
                if fault:
                    yield f"{path.relative_to(root)}:{number}: {fault}"


def fault_of_include(layer, system, own, codec_stems):
    if system:
        if layer in PURE and IMPURE_HEADER.match(system):
            return f"{layer} is pure and must not include <{system}>"
        return None
    used = layer_of_file(own, codec_stems)
    if used is None:
        return f'"{own}" lies in no layer; write includes from the root, as in "nftctl/base/address.h"'
    if used != layer and used not in MAY_USE[layer]:
        allowed = ", ".join(sorted(MAY_USE[layer])) or "nothing"
        return f'{layer} must not include "{own}" of {used}; it may use: {allowed}'
    return None


def check_links(root, cmake):
    for path, line, target, library in cmake.links:
        layer = cmake.layer_of.get(target)
        used = cmake.layer_of.get(library)
        where = f"{path.relative_to(root)}:{line}"
        if layer is None:
            yield f"{where}: target {target} is defined in no layer"
        elif used and used != layer and used not in MAY_USE[layer]:
            yield f"{where}: {target} of {layer} must not link {library} of {used}"
        elif used is None and layer in PURE and IMPURE_LIBRARY.search(library):
            yield f"{where}: {target} is pure and must not link {library}"


def check(root):
    """Every violation below `root` as a line FILE:LINE: MESSAGE."""
    root = Path(root)
    cmake = CMake(root)
    return [*check_includes(root, cmake), *check_links(root, cmake)]


def main():
    faults = check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
