# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of a LAN that knows no IPv6 reach b through its one prefix, 64:ff9b:2222::/96, after radvd told them the way.

    second (10.10.10.5) --- lan1 [router a: radvd, natctl-tunnel] --- SOCKS5 over the WAN --- [router b] --- D
"""

import ipaddress
import re

import pytest

from natlab.embedding import PREFIX, carrying, joined
from natlab.wait import eventually

pytestmark = pytest.mark.xdist_group("radvd")


@pytest.fixture(scope="module")
def sites():
    with joined() as both:
        yield both


def test_a_lan_without_ipv6_is_left_out_with_the_command_that_mends_it(sites):
    a, b = sites
    told = a.router.natctl("radvd")
    assert "interface lan0" in told.stdout and "lan1" not in told.stdout
    assert "give it one, for example: ip address add fd" in told.stderr
    # Nobody to advertise is no configuration.
    refused = b.router.natctl("radvd", check=False)
    assert refused.code == 1 and refused.stdout == ""
    assert "none has an IPv6 prefix" in refused.stderr


def test_hosts_learn_addresses_and_the_way_from_radvd(sites):
    a, _ = sites
    router, host = a.router, a.second
    command = re.search(r"ip (address add \S+ dev lan1)", router.natctl("radvd").stderr)[1]
    router.ip(command)
    network = ipaddress.ip_interface(command.split()[2]).network
    # As network managers have it; the kernel by itself takes no routes from strangers.
    host.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1", "net.ipv6.conf.eth0.accept_ra_rt_info_max_plen=128")

    told = router.natctl("radvd")
    assert told.stderr == ""
    file = router.directory / "radvd.conf"
    file.write_text(told.stdout)
    router.run("radvd", "--configtest", "-C", file)
    router.start("radvd", "radvd", "-n", "-m", "stderr", "-C", file, "-p", router.directory / "radvd.pid")

    eventually(lambda: PREFIX in host.run("ip", "-6", "route").stdout, what="the host knows the way to the prefix")
    addresses = host.run("ip", "-6", "-o", "address", "show", "scope", "global").stdout
    assert str(network.network_address).rstrip(":") in addresses
    # radvd is no way to the Internet.
    assert "default" not in host.run("ip", "-6", "route").stdout
    assert host.greeting(carrying("192.168.1.20")).host == "D"
    assert host.udp_greeting(carrying("192.168.1.20")).host == "D"
