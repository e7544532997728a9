# SPDX-License-Identifier: GPL-3.0-or-later
"""The server on every machine of a lab: says its own name and whom it sees, then repeats what it is told."""

import contextlib
import selectors
import socket
import threading
from dataclasses import dataclass

PORT = 7007


@dataclass(frozen=True)
class Greeting:
    """`host` says that its client has the address `saw`."""

    host: str
    saw: str

    def __str__(self):
        return f"I am {self.host}, you are {self.saw}"

    @classmethod
    def parse(cls, line):
        host, saw = line.decode().split()
        return cls(host, saw)

    @classmethod
    def read(cls, connection):
        line = b""
        while not line.endswith(b"\n"):
            byte = connection.recv(1)
            if not byte:
                raise ConnectionError(f"the connection ended after {line!r}")
            line += byte
        return cls.parse(line)


class Greeter:
    """TCP and UDP, IPv4 and IPv6, on one port of a machine."""

    def __init__(self, machine, port=PORT, name=None):
        self.port = port
        self._name = name or machine.label
        #: Addresses of all clients so far, in order.
        self.seen = []
        self._selector = selectors.DefaultSelector()
        self._stop, stopped = socket.socketpair()
        self._selector.register(stopped, selectors.EVENT_READ, None)
        for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            for kind, react in ((socket.SOCK_STREAM, self._accept), (socket.SOCK_DGRAM, self._answer)):
                with machine.inside():
                    server = socket.socket(family, kind)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                server.bind((any_address, port))
                if kind == socket.SOCK_STREAM:
                    server.listen(1024)
                server.setblocking(False)
                self._selector.register(server, selectors.EVENT_READ, react)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._stop.close()
        self._thread.join()

    def _serve(self):
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    for registered in list(self._selector.get_map().values()):
                        registered.fileobj.close()
                    self._selector.close()
                    return
                try:
                    key.data(key.fileobj)
                except BlockingIOError:
                    pass
                except OSError:  # the client's affair
                    if key.data == self._repeat:
                        self._drop(key.fileobj)

    def _accept(self, server):
        connection, client = server.accept()
        self.seen.append(client[0])
        with contextlib.suppress(OSError):
            connection.sendall(f"{self._name} {client[0]}\n".encode())
        self._selector.register(connection, selectors.EVENT_READ, self._repeat)

    def _repeat(self, connection):
        # Blocking writes: a client that never reads stops this greeter, and the test fails by its deadline.
        said = connection.recv(65536)
        if said:
            connection.sendall(said)
        else:
            self._drop(connection)

    def _drop(self, connection):
        self._selector.unregister(connection)
        connection.close()

    def _answer(self, server):
        _, client = server.recvfrom(65536)
        self.seen.append(client[0])
        server.sendto(f"{self._name} {client[0]}\n".encode(), client)
