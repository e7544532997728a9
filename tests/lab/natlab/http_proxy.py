# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of HTTP proxies that can also misbehave, to knock at listeners by hand."""

import base64

from .socks import Refused, dial


def connect(machine, proxy, destination, user=None, password=None, timeout=30.0):
    """Asks the proxy ("ADDRESS:PORT") by CONNECT for a connection to the destination, and returns it."""
    fields = [f"Host: {destination}"]
    if user is not None:
        fields.append("Proxy-Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
    connection, head = ask(machine, proxy, f"CONNECT {destination} HTTP/1.1", fields, timeout)
    status = status_of(head)
    if status != 200:
        connection.close()
        raise Refused(f"status {status}")
    return connection


def ask(machine, proxy, line, fields, timeout=30.0):
    """Sends a request without content: the connection, and the head of the answer."""
    connection = dial(machine, proxy, timeout)
    try:
        connection.sendall("\r\n".join([line, *fields, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                raise Refused(f"closed after {head!r}")
            head += byte
        return connection, head.decode()
    except ConnectionError as error:
        connection.close()
        raise Refused(f"reset: {error}") from error
    except BaseException:
        connection.close()
        raise


def status_of(head):
    return int(head.split(" ", 2)[1])
