# SPDX-License-Identifier: GPL-3.0-or-later
"""natctl doctor: settings of the kernel."""

import pytest

from natlab import build_sites, toml
from natlab.doctor import Fault, find, run, try_out

pytestmark = pytest.mark.xdist_group("doctor-kernel")

FAULTS = [
    Fault("IPv4 forwarding off", "forwarding4", ["does not forward IPv4"], ["sysctl -qw net.ipv4.ip_forward=0"]),
    Fault(
        "IPv6 forwarding off",
        "forwarding6",
        ["does not forward IPv6"],
        ["sysctl -qw net.ipv6.conf.all.forwarding=0"],
    ),
    Fault(
        "one interface does not forward",
        "interface-forwarding",
        ["lan0"],
        ["sysctl -qw net.ipv4.conf.lan0.forwarding=0"],
    ),
    Fault("127.0.0.1 open to the LAN", "route-localnet", ["lan0"], ["sysctl -qw net.ipv4.conf.lan0.route_localnet=1"]),
    Fault(
        "IPv6 off on the LAN",
        "ipv6",
        ["lan0", "switched off"],
        ["sysctl -qw net.ipv6.conf.lan0.disable_ipv6=1"],
        by_hand=["ip address add fd00:a::1/64 dev lan0 nodad"],
    ),
    Fault(
        "connections forgotten early",
        "conntrack-timeout",
        ["600 s"],
        ["sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=600"],
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_setting(overlay, fault):
    try_out(overlay, fault)


def test_a_bridge_and_a_second_link(lab):
    a, b = build_sites(lab)
    router = a.router
    router.ip(
        "link add br0 type bridge",
        "link add port0 type veth peer name far0",
        "link set port0 master br0 up",
        "link set far0 up",
        "link set br0 up",
        "link add ov0 type veth peer name far1",
        "link set far1 up",
        "link set ov0 up",
        "link add ov1 type veth peer name far2",
        "link set far2 up",
        "link set ov1 up",
    )
    router.sysctl(**{"net__bridge__bridge-nf-call-iptables": 1})
    text = toml.site(a).replace('["lan0", "lan1"]', '["lan0", "lan1", "br0"]')
    router.apply(text + toml.peer(b, '[{ dev = "ov0" }, { dev = "ov1" }]'))
    [bridge] = find(router, "bridge-netfilter")
    assert "br0" in bridge["what"]
    run(router, bridge["command"])
    assert find(router, "bridge-netfilter") == []

    router.sysctl(net__ipv4__conf__ov0__rp_filter=1, net__ipv4__conf__ov1__rp_filter=1)
    strict = find(router, "reverse-path")
    assert {"ov0", "ov1"} == {finding["what"].split()[5] for finding in strict}
    for finding in strict:
        run(router, finding["command"])
    assert find(router, "reverse-path") == []
