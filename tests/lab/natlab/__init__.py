# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites, hosts and links in network namespaces, for tests, the demonstration and the benchmark.

    with Lab() as lab:
        a, b = linked_sites(lab, Veth)
        a.router.apply()
        b.router.apply()
        assert a.host.greeting("240.2.2.20") == Greeting(host="D", saw="240.1.1.20")
"""

from .bulk import exchange
from .capture import Capture
from .delay import Delay
from .greeter import Greeting
from .lab import ROOT, Lab
from .links import Socks, Veth, WireGuardMesh, configure, linked_sites
from .servers import microsocks, nginx, page_of
from .site import STRANGER, build_sites
from .wait import DEADLINE, Never, always, eventually
from .weather import Rain

__all__ = [
    "DEADLINE",
    "ROOT",
    "STRANGER",
    "Capture",
    "Delay",
    "Greeting",
    "Lab",
    "Never",
    "Rain",
    "Socks",
    "Veth",
    "WireGuardMesh",
    "always",
    "build_sites",
    "configure",
    "eventually",
    "exchange",
    "linked_sites",
    "microsocks",
    "nginx",
    "page_of",
]
