# SPDX-License-Identifier: GPL-3.0-or-later
"""iperf3: how much TCP carries."""

import json
from dataclasses import dataclass

PORT = 5201


def iperf_server(machine):
    program = machine.start("iperf3", "iperf3", "--server", "--port", PORT)
    return program.wait_until(lambda: machine.listens(PORT), "it listens")


@dataclass
class Goodput:
    """What arrived at the server."""

    bytes: int
    seconds: float

    @property
    def gigabits_per_second(self):
        return self.bytes * 8 / 1e9 / self.seconds


def tcp_goodput(client, address, streams, seconds):
    """From the client to the server at the address, over so many connections at once."""
    command = ["iperf3", "--client", address, "--port", PORT, "--time", seconds, "--parallel", streams, "--json"]
    result = json.loads(client.run(*command, timeout=seconds + 60).stdout)
    received = result["end"]["sum_received"]
    return Goodput(received["bytes"], received["seconds"])
