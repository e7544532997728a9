# SPDX-License-Identifier: GPL-3.0-or-later
"""What natctl-tunnel tells of itself, and what `natctl status` makes of it: flows, bytes, proxies, failures.

    C --- [router a: natctl-tunnel] === SOCKS5 over the WAN === [router b: natctl-tunnel] --- D
"""

import json
import socket
import stat

import pytest

from natlab import Lab, eventually
from natlab.far_sides import Natctl, SocksPair
from natlab.socks import associate, encode

SIZE = 3 << 20


@pytest.fixture(scope="module")
def pair():
    with Lab() as lab:
        yield SocksPair(lab, Natctl())


def status(router):
    return json.loads(router.natctl("status", "--json").stdout)["tunnel"]


def traffic(router, protocol="tcp"):
    return {item["way"]: item for item in status(router)[protocol]}


def test_bytes_are_counted_while_they_move_and_afterwards(pair):
    a, b = pair.a, pair.b
    way = f"peer b by socks5 {b.wan}:1080"
    with b.host.inside():
        listener = socket.create_server(("", 0))
    with listener:
        near = a.host.dial(b.virtual(20), listener.getsockname()[1])
        far, _ = listener.accept()
        with near, far:
            far.sendall(b"hello")
            assert near.recv(5) == b"hello"
            before = traffic(a.router)[way]
            for _ in range(SIZE // 4096):
                near.sendall(bytes(4096))
                left = 4096
                while left:
                    left -= len(far.recv(left))
            open_now = traffic(a.router)[way]
            assert open_now["bytes_to_far"] - before["bytes_to_far"] == SIZE
            assert open_now["bytes_to_client"] == before["bytes_to_client"]
            assert open_now["open"] == before["open"] >= 1
            # At the other end the same bytes came by its listener and went on without a proxy.
            assert traffic(b.router)["direct"]["bytes_to_far"] == open_now["bytes_to_far"]

    def ended():
        return traffic(a.router)[way]["open"] == 0

    eventually(ended, what="the flow ends")
    assert traffic(a.router)[way]["bytes_to_far"] == open_now["bytes_to_far"]
    assert traffic(a.router)[way]["ended"] == open_now["ended"] + 1


def test_proxies_and_failures_have_names(pair):
    a, b = pair.a, pair.b
    proxy = f"{b.wan}:1080"
    (health,) = status(a.router)["proxies"]
    assert (health["socks5"], health["up"], health["cause"]) == (proxy, True, None)

    pair.far_program.kill()
    assert a.host.refusal(b.virtual(20), port=80)

    after = status(a.router)
    assert not after["proxies"][0]["up"]
    assert "Connection refused" in after["proxies"][0]["cause"]
    assert any(f["way"].endswith(proxy) and "Connection refused" in f["cause"] for f in after["failures"])
    said = a.router.natctl("status").stdout
    assert f"socks5 {proxy} is down since" in said
    assert "1 failed, peer b by socks5" in said
    pair.start_far_side()


def test_udp_of_a_listeners_client_is_counted_and_rates_are_told(pair):
    a, b = pair.a, pair.b
    with b.host.socket(kind=socket.SOCK_DGRAM, timeout=1) as there:
        there.bind(("", 6000))
        control, relay = associate(a.router, f"{b.wan}:1080")
        with control, a.router.socket(kind=socket.SOCK_DGRAM, timeout=1) as client:
            header = bytes(3) + encode(f"{b.virtual(20)}:6000")

            def heard():
                client.sendto(header + bytes(1000), relay)
                _, exit_of_client = there.recvfrom(2000)
                there.sendto(bytes(500), exit_of_client)
                return client.recv(2000) == header + bytes(500)

            eventually(heard)
            direct = traffic(b.router, "udp")["direct"]
            assert direct["open"] == 1
            assert direct["bytes_to_far"] >= 1000 and direct["bytes_to_client"] >= 500

            def has_rate():
                heard()
                way = traffic(b.router, "udp")["direct"]
                return way["bytes_to_far_per_second"] > 0 and way["bytes_to_client_per_second"] > 0

            eventually(has_rate, what="a rate is told")
            assert "/s)" in b.router.natctl("status").stdout
    eventually(lambda: traffic(b.router, "udp")["direct"]["open"] == 0, what="the association ends")
    assert traffic(b.router, "udp")["direct"]["ended"] == 1


def test_the_socket_is_for_root_and_its_group_and_goes_with_the_program(pair):
    router = pair.a.router
    path = router.run_dir / "natctl-tunnel.sock"
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660

    router.tunnel.stop()

    assert not path.exists()
    assert status(router) is None
    assert "tunnel does not run" in router.natctl("status").stdout
    router.start_tunnel()
    assert status(router)["version"] == 1
