# SPDX-License-Identifier: GPL-3.0-or-later
"""wireguard-go as the overlay of two routers."""

from pathlib import Path

PORT = 51820


class WireGuard:
    """Interface wg0 of a router. It needs /dev/net/tun."""

    def __init__(self, router, number):
        self.router = router
        # wireguard-go puts its control socket where all namespaces would see the same file.
        self._program = router.start(
            "wireguard-go",
            *("unshare", "--mount", "sh", "-c"),
            "mkdir -p /run/wireguard && mount -t tmpfs tmpfs /run/wireguard && exec wireguard-go --foreground wg0",
            env={"LOG_LEVEL": "error"},
        )
        self._program.wait_until(lambda: self._wg("show", "wg0", check=False).code == 0, "wg0 can be configured")
        key = router.secret("wg0.key", router.run("wg", "genkey").stdout)
        self.public_key = router.run("wg", "pubkey", text=key.read_text()).stdout.strip()
        self._wg("set", "wg0", "listen-port", PORT, "private-key", key)
        router.ip(
            f"address add 172.31.1.{number}/32 dev wg0",
            f"address add fd00:fe::{number}/128 dev wg0 nodad",
            "link set wg0 mtu 1420 up",
        )

    def add_peer(self, peer, address, prefixes):
        """`prefixes` become AllowedIPs: what may come from the peer, and what goes to it."""
        where = ("endpoint", f"{address}:{PORT}", "allowed-ips", ",".join(prefixes))
        self._wg("set", "wg0", "peer", peer.public_key, *where)

    def _wg(self, *argv, check=True):
        mounts = Path(f"/proc/{self._program.pid}/ns/mnt")
        return self.router.run("nsenter", f"--mount={mounts}", "wg", *argv, check=check)
