# SPDX-License-Identifier: GPL-3.0-or-later
"""Much data both ways at once, with checksums at both ends."""

import contextlib
import hashlib
import os
import socket
import threading
import time
from dataclasses import dataclass

BLOCK = 1 << 20
#: Seconds without a byte moving.
STALLED = 60.0


@dataclass
class Exchange:
    """`sent` and `received` are SHA-256 sums as the client computed them; the server's are compared with them."""

    megabytes_each_way: int
    seconds: float
    up: str
    down: str
    #: What the server saw as its client.
    client: str

    @property
    def megabytes_per_second(self):
        """Both directions together."""
        return 2 * self.megabytes_each_way * BLOCK / 1e6 / self.seconds


class _End:
    """One end of the connection: sends so many blocks and at the same time receives as many."""

    def __init__(self, connection, blocks):
        self.connection = connection
        connection.settimeout(STALLED)
        self._blocks = blocks
        self._errors = []
        self.sent = hashlib.sha256()
        self.received = hashlib.sha256()
        self._threads = [threading.Thread(target=self._guarded, args=(job,)) for job in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _guarded(self, job):
        try:
            job()
        except OSError as error:
            self._errors.append(error)
            # Wakes the other three threads.
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self):
        # Blocks differ in their first bytes, so that a lost, doubled or swapped one changes the sum.
        block = bytearray(os.urandom(BLOCK))
        for number in range(self._blocks):
            block[:8] = number.to_bytes(8, "big")
            self.sent.update(block)
            self.connection.sendall(block)

    def _receive(self):
        # The length is agreed: the end of the stream is no part of this, as some relays do not pass it on.
        left = self._blocks * BLOCK
        buffer = memoryview(bytearray(BLOCK))
        while left:
            count = self.connection.recv_into(buffer, min(left, BLOCK))
            if count == 0:
                raise ConnectionError(f"the connection ended with {left} bytes missing")
            self.received.update(buffer[:count])
            left -= count


def exchange(client, address, server, megabytes):
    """Sends so many MiB from the client to the server, which is called `address` there, and as many back, at the same
    time. Fails unless the checksums are equal at both ends."""
    with server.inside():
        listener = socket.create_server(("", 0))
    with listener:
        listener.settimeout(STALLED)
        begin = time.monotonic()
        with client.dial(address, listener.getsockname()[1]) as near:
            far, (seen, _) = listener.accept()
            with far:
                ends = [_End(near, megabytes), _End(far, megabytes)]
                for end in ends:
                    end.join()
        seconds = time.monotonic() - begin
    up, down = ends[0].sent.hexdigest(), ends[1].sent.hexdigest()
    assert ends[1].received.hexdigest() == up, "what arrived is not what the client sent"
    assert ends[0].received.hexdigest() == down, "what arrived is not what the server sent"
    client.lab.story.tell(client.label, f"{megabytes} MiB each way with {address} in {seconds:.2f} s")
    return Exchange(megabytes, seconds, up, down, seen)
