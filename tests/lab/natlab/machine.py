# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine on a network: what people do from one, as methods."""

import http.client
import re
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from .greeter import PORT, Greeter, Greeting
from .namespace import Namespace
from .wait import eventually

#: Seconds. For one step of a conversation.
PATIENCE = 30.0


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@dataclass
class Page:
    """An answer of a web server."""

    status: int
    body: bytes
    seconds: float

    @property
    def text(self):
        return self.body.decode()

    @property
    def megabytes_per_second(self):
        return len(self.body) / 1e6 / self.seconds


class Machine(Namespace):
    """Every machine greets whoever connects to it: see greeter.py."""

    def __init__(self, lab, name, label):
        super().__init__(lab, name, label)
        # Otherwise link-local addresses, and their routes, come a second or two after the link.
        self.sysctl(net__ipv6__conf__default__accept_dad=0)
        self.greeter = Greeter(self)

    def close(self):
        self.greeter.close()

    # --- asking others ---------------------------------------------------------------------------------------------

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, timeout=PATIENCE):
        """A socket of this machine."""
        with self.inside():
            made = socket.socket(family, kind)
        made.settimeout(timeout)
        return made

    def dial(self, address, port=PORT, timeout=PATIENCE, source=None):
        """A TCP connection to address:port."""
        connection = self.socket(family_of(address), timeout=timeout)
        try:
            if source:
                connection.bind((source, 0))
            connection.connect((address, port))
        except BaseException:
            connection.close()
            raise
        return connection

    def greeting(self, address, port=PORT, source=None):
        """Who answers at the address over TCP, and whom it saw. Bytes have passed in both directions then."""
        with self.dial(address, port, source=source) as connection:
            told = Greeting.read(connection)
            assert_echo(connection, b"and good day to you")
        self.lab.story.tell(self.label, f"TCP to {address}: {told}")
        return told

    def udp_greeting(self, address, port=PORT, source=None):
        """The same over UDP. Datagrams may be lost, so it asks again until an answer comes."""
        with self.socket(family_of(address), socket.SOCK_DGRAM, timeout=1) as asking:
            asking.bind((source or ("::" if ":" in address else "0.0.0.0"), 0))

            def ask():
                asking.sendto(b"who are you?", (address, port))
                answer, sender = asking.recvfrom(65536)
                assert sender[:2] == (address, port), f"the answer came from {sender}"
                return Greeting.parse(answer)

            told = eventually(ask, what=f"a UDP answer from {address} to {self.label}")
        self.lab.story.tell(self.label, f"UDP to {address}: {told}")
        return told

    def ping(self, address, source=None, size=56):
        """Round trip in milliseconds. The first packets may be lost while neighbours are being found."""

        def answered():
            options = ["-I", source] if source else []
            result = self.run("ping", "-n", "-c1", "-W2", f"-s{size}", *options, address, check=False)
            found = re.search(r"bytes from ([0-9a-f.:]+?):? .*time=([0-9.]+) ms", result.stdout)
            assert result.code == 0 and found, str(result)
            assert found[1] == address, f"the answer came from {found[1]}"
            return float(found[2]) or 0.001

        return eventually(answered, what=f"{self.label} pings {address}")

    def fetch(self, url, timeout=PATIENCE):
        """The page at http://ADDRESS[:PORT]/PATH."""
        parts = urlsplit(url)
        begin = time.monotonic()
        connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
        with self.dial(parts.hostname, parts.port or 80, timeout) as connection.sock:
            connection.request("GET", parts.path or "/", headers={"Connection": "close"})
            answer = connection.getresponse()
            page = Page(answer.status, answer.read(), time.monotonic() - begin)
        self.lab.story.tell(self.label, f"GET {url}: {page.status}, {len(page.body)} bytes")
        return page

    def refusal(self, address, port, timeout=PATIENCE, say=b"anybody there?"):
        """How address:port turns a TCP client down: "refused" (RST to the SYN), "reset" (RST later), "closed" (FIN
        without a byte), or "unreachable" (ICMP). A hang is a failure, and so is an answer."""
        try:
            with self.dial(address, port, timeout) as connection:
                connection.sendall(say)
                answer = connection.recv(100)
            assert not answer, f"{address}:{port} was to refuse {self.label}, and answers {answer!r}"
            how = "closed"
        except ConnectionRefusedError:
            how = "refused"
        except (ConnectionResetError, BrokenPipeError):
            how = "reset"
        except TimeoutError:
            raise AssertionError(f"{address}:{port} leaves {self.label} waiting for {timeout} s") from None
        except OSError as error:
            how = "unreachable"
            self.lab.story.tell(self.label, f"{address}:{port}: {error}")
        self.lab.story.tell(self.label, f"{address}:{port} turns us down: {how}")
        return how


def assert_echo(connection, message):
    connection.sendall(message)
    received = b""
    while len(received) < len(message):
        part = connection.recv(len(message) - len(received))
        assert part, f"the connection ended after {received!r}"
        received += part
    assert received == message
