#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""layers.py reports each kind of violation in a small tree, and nothing in a sound one."""

import tempfile
import unittest
from pathlib import Path

import layers

SOUND = {
    "nftctl/base/CMakeLists.txt": (
        "add_library(natctl_base STATIC a.cpp)\n"
        "target_link_libraries(natctl_base PUBLIC fmt::fmt)\n"
    ),
    "nftctl/base/a.h": "#include <string>\n",
    "nftctl/site/site.cpp": '#include "nftctl/base/a.h"\n',
    "nftctl/plan/CMakeLists.txt": (
        "add_library(natctl_plan plan.cpp)\n"
        "target_link_libraries(natctl_plan PUBLIC natctl_base)\n"
    ),
    "nftctl/plan/plan.cpp": '#include "nftctl/site/site.h"\n',
    "nftctl/kernel/CMakeLists.txt": (
        "add_library(natctl_kernel netlink.cpp)\n"
        "target_link_libraries(natctl_kernel PUBLIC natctl_plan\n  PRIVATE PkgConfig::mnl)\n"
    ),
    "nftctl/kernel/netlink.cpp": "#include <libmnl/libmnl.h>\n#include <linux/netlink.h>\n",
    "nftctl/cli/main.cpp": '#include "nftctl/kernel/netlink.h"\n',
    "agent/main.cpp": '#include "nftctl/kernel/netlink.h"\n',
    "tunnel/CMakeLists.txt": (
        "add_library(natctl_tunnel_codec socks5.cpp)  # pure\n"
        "target_link_libraries(natctl_tunnel_codec PUBLIC natctl_base)\n"
        "add_executable(natctl-tunnel main.cpp)\n"
        "target_link_libraries(natctl-tunnel PRIVATE natctl_tunnel_codec)\n"
    ),
    "tunnel/socks5.h": '#include "nftctl/base/a.h"\n',
    "tunnel/main.cpp": '#include <asio.hpp>\n#include "tunnel/socks5.h"\n#include "nftctl/site/site.h"\n',
}

IMPURE_HEADERS = ["libmnl/libmnl.h", "libnftnl/set.h", "asio.hpp", "asio/ip/tcp.hpp", "linux/tls.h", "sys/socket.h"]


def faults_with(changes):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**SOUND, **changes}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return layers.check(folder)


class Layers(unittest.TestCase):
    def expect(self, name, text, line, word):
        faults = faults_with({name: text})
        self.assertEqual(len(faults), 1, faults)
        self.assertTrue(faults[0].startswith(f"{name}:{line}: "), faults[0])
        self.assertIn(word, faults[0])

    def test_sound_tree(self):
        self.assertEqual(faults_with({}), [])

    def test_arrows_go_one_way(self):
        for name, used in [
            ("nftctl/base/b.cpp", "nftctl/site/site.h"),
            ("nftctl/site/b.cpp", "nftctl/plan/plan.h"),
            ("nftctl/plan/b.cpp", "nftctl/kernel/netlink.h"),
            ("nftctl/kernel/b.cpp", "nftctl/cli/verb.h"),
            ("nftctl/cli/b.cpp", "agent/agent.h"),
            ("agent/b.cpp", "nftctl/cli/verb.h"),
            ("tunnel/b.cpp", "nftctl/plan/plan.h"),
            ("tunnel/b.cpp", "nftctl/kernel/netlink.h"),
            ("nftctl/cli/b.cpp", "tunnel/relay.h"),
            ("tunnel/socks5.cpp", "tunnel/relay.h"),
        ]:
            with self.subTest(name=name, used=used):
                self.expect(name, f'// text\n#include "{used}"\n', 2, used)

    def test_pure_folders_stay_pure(self):
        for name in ["nftctl/base/a.h", "nftctl/site/b.cpp", "nftctl/plan/b.h", "tunnel/socks5.cpp", "tunnel/socks5.h"]:
            for header in IMPURE_HEADERS:
                with self.subTest(name=name, header=header):
                    self.expect(name, f"#include <{header}>\n", 1, header)

    def test_includes_are_written_from_the_root(self):
        self.expect("nftctl/base/a.h", '#include "a.h"\n', 1, "from the root")

    def test_links_go_one_way(self):
        name = "nftctl/plan/CMakeLists.txt"
        text = "add_library(natctl_plan p.cpp)\ntarget_link_libraries(natctl_plan\n natctl_kernel)\n"
        self.expect(name, text, 2, "natctl_kernel")
        name = "tunnel/relay.cmake"
        self.expect(name, "add_library(relay r.cpp)\ntarget_link_libraries(relay natctl_plan)\n", 2, "natctl_plan")

    def test_pure_targets_link_nothing_impure(self):
        name = "nftctl/base/CMakeLists.txt"
        for library in ["PkgConfig::mnl", "PkgConfig::nftnl", "PkgConfig::conntrack", "asio"]:
            with self.subTest(library=library):
                text = f"add_library(natctl_base a.cpp)\ntarget_link_libraries(natctl_base PUBLIC {library})\n"
                self.expect(name, text, 2, library)
        codec = "add_library(natctl_tunnel_codec socks5.cpp)\ntarget_link_libraries(natctl_tunnel_codec natctl_asio)\n"
        self.expect("tunnel/CMakeLists.txt", codec, 2, "natctl_asio")


if __name__ == "__main__":
    unittest.main()
