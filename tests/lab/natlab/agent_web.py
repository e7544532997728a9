# SPDX-License-Identifier: GPL-3.0-or-later
"""What natctl-agent shows by HTTP, as programs see it.

    C --- [router a, natctl-agent] === ov0 (preferred) and SOCKS5 over the WAN === [router b] --- D
"""

import http.client

from prometheus_client.parser import text_string_to_metric_families

from . import toml
from .links import Socks, Veth
from .site import build_sites
from .wait import eventually

PORT = 9117
AGENT = f"""
[agent]
http = "127.0.0.1:{PORT}"
page = true
"""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BY_LINK = 'natctl_link_used{peer="b",link="dev ov0 via 172.31.0.2",kind="dev"}'


class Pair:
    """Two sites that know each other by two links, with agents and tunnels; a's agent shows itself."""

    def __init__(self, lab):
        self.lab = lab
        self.a, self.b = build_sites(lab)
        veth, socks = Veth(lab, [self.a, self.b], ipv6=False), Socks(lab, [self.a, self.b])
        for own, other in ((self.a, self.b), (self.b, self.a)):
            links = f"[{veth.to(other)}, {socks.to(other)}]"
            text = toml.site(own) + toml.peer(other, links) + socks.listeners(own, [other])
            own.router.configure(text + (AGENT if own is self.a else ""))
            own.router.keep_up("--link-hold", 1)
            own.router.start_tunnel()
        self.router = self.a.router
        self.by_proxy = f'natctl_link_used{{peer="b",link="socks5 {self.b.wan}:1080",kind="socks5"}}'
        self.becomes(BY_LINK, 1)
        self.becomes("natctl_tunnel_up", 1)

    def becomes(self, metric, value):
        eventually(lambda: metrics(self.router).get(metric) == value, what=f"{metric} is {value}")


def ask(router, path="/metrics", method="GET", port=PORT, address="127.0.0.1", headers=None):
    """Status, fields and content of an answer."""
    connection = http.client.HTTPConnection(address, port)
    with router.dial(address, port) as connection.sock:
        connection.request(method, path, headers={"Host": f"localhost:{port}"} | (headers or {}))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def families(router, **options):
    """As the parser of Prometheus' client reads them."""
    status, fields, content = ask(router, **options)
    assert status == 200 and fields["Content-Type"] == METRICS_TYPE, (status, fields, content)
    return list(text_string_to_metric_families(content.decode()))


def metrics(router, **options):
    """Values by name and labels: {'natctl_peer_up{peer="b"}': 1.0}"""
    values = {}
    for family in families(router, **options):
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sample.labels.items())
            values[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return values
