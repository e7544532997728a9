# SPDX-License-Identifier: GPL-3.0-or-later
"""A SOCKS5 client (RFC 1928, RFC 1929) that can also misbehave, to knock at listeners by hand."""

import ipaddress
import struct

NO_AUTHENTICATION, USER_AND_PASSWORD, NOTHING_ACCEPTABLE = 0, 2, 0xFF
SUCCEEDED = 0
IPV4, NAME, IPV6 = 1, 3, 4
CONNECT, UDP_ASSOCIATE = 1, 3


class Refused(Exception):
    """The proxy said no, or hung up; the text says at which step."""


def dial(machine, proxy, timeout=30.0):
    """A connection to the proxy ("ADDRESS:PORT"), before anything is said."""
    address, _, port = proxy.rpartition(":")
    try:
        return machine.dial(address, int(port), timeout)
    except ConnectionError as error:
        raise Refused(f"no connection: {error}") from error


def knock(machine, proxy, destination, user=None, password=None, timeout=30.0):
    """Asks the proxy ("ADDRESS:PORT") for a connection to the destination ("ADDRESS:PORT", "[ADDRESS]:PORT" or
    "NAME:PORT"), and returns it."""
    return _request(machine, proxy, CONNECT, destination, user, password, timeout)[0]


def associate(machine, proxy, user=None, password=None, timeout=30.0):
    """Asks the proxy to relay UDP: the connection that keeps the association, and (address, port) to send to."""
    return _request(machine, proxy, UDP_ASSOCIATE, "0.0.0.0:0", user, password, timeout)


def _request(machine, proxy, command, destination, user, password, timeout):
    connection = dial(machine, proxy, timeout)
    try:
        method = USER_AND_PASSWORD if user is not None else NO_AUTHENTICATION
        connection.sendall(bytes([5, 1, method]))
        chosen = _read(connection, 2, "greeting")
        if chosen[1] != method:
            raise Refused(f"method {chosen[1]:#x} instead of {method:#x}")
        if user is not None:
            connection.sendall(b"\x01" + _counted(user) + _counted(password))
            if _read(connection, 2, "password")[1] != 0:
                raise Refused("wrong user or password")
        connection.sendall(bytes([5, command, 0]) + encode(destination))
        reply = _read(connection, 4, "request")
        if reply[1] != SUCCEEDED:
            raise Refused(f"reply {reply[1]}")
        length = {IPV4: 4, IPV6: 16}.get(reply[3])
        if length is None:
            length = _read(connection, 1, "bound name")[0]
        bound = _read(connection, length + 2, "bound address")
        host = str(ipaddress.ip_address(bound[:-2])) if reply[3] != NAME else bound[:-2].decode()
        return connection, (host, int.from_bytes(bound[-2:], "big"))
    except BaseException:
        connection.close()
        raise


def encode(destination):
    """ATYP, DST.ADDR and DST.PORT."""
    host, _, port = destination.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        encoded = bytes([NAME]) + _counted(host)
    else:
        encoded = bytes([IPV4 if address.version == 4 else IPV6]) + address.packed
    return encoded + struct.pack("!H", int(port))


def _counted(text):
    return bytes([len(text)]) + text.encode()


def _read(connection, count, step):
    data = b""
    while len(data) < count:
        try:
            part = connection.recv(count - len(data))
        except ConnectionError as error:
            raise Refused(f"reset at the {step}: {error}") from error
        if not part:
            raise Refused(f"closed at the {step}")
        data += part
    return data
