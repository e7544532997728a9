# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols that write addresses into their payload: with `helpers` in site.toml both sites translate these as well."""

import re
import threading

import pytest

from natlab import linked_sites

CONTROL = 21


@pytest.fixture
def sites(lab):
    made = linked_sites(lab)
    for site in made:
        site.router.apply('helpers = ["ftp", "sip"]\n' + site.router.toml.read_text())
    return made


def listen(machine, address, port):
    server = machine.socket()
    server.bind((address, port))
    server.listen(1)
    return server


def serve(server, answer):
    """In a thread: takes one client and calls answer(connection)."""

    def run():
        connection, _ = server.accept()
        with connection:
            answer(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def as_ftp(address, port):
    return ",".join([*address.split("."), str(port >> 8), str(port & 0xFF)])


def from_ftp(text):
    numbers = [int(number) for number in re.search(r"(\d+(?:,\d+){5})", text)[1].split(",")]
    return ".".join(map(str, numbers[:4])), numbers[4] << 8 | numbers[5]


def test_passive_ftp_offers_the_virtual_address(sites):
    """D names itself as it knows itself, 192.168.1.20; C reads the name that it can reach."""
    a, b = sites
    with listen(b.host, "192.168.1.20", CONTROL) as control, listen(b.host, "192.168.1.20", 40000) as data:
        offer = f"227 Entering Passive Mode ({as_ftp('192.168.1.20', 40000)})\r\n".encode()

        def answer(connection):
            connection.sendall(b"220 ready\r\n")
            assert connection.recv(100) == b"PASV\r\n"
            connection.sendall(offer)

        serve(control, answer)
        sent = serve(data, lambda connection: connection.sendall(b"the file"))
        with a.host.dial("240.2.2.20", CONTROL) as session:
            lines = session.makefile("rwb", buffering=0)
            assert lines.readline() == b"220 ready\r\n"
            lines.write(b"PASV\r\n")
            offered = from_ftp(lines.readline().decode())
            assert offered == ("240.2.2.20", 40000)
            with a.host.dial(*offered) as transfer:
                assert transfer.recv(100) == b"the file"
        sent.join()


def test_active_ftp_calls_back_at_the_virtual_address(sites):
    """C names itself as it knows itself; D reads 240.1.1.20, and reaches C there."""
    a, b = sites
    called = []
    with listen(b.host, "192.168.1.20", CONTROL) as control, listen(a.host, "192.168.1.20", 40001) as data:

        def answer(connection):
            lines = connection.makefile("rwb", buffering=0)
            lines.write(b"220 ready\r\n")
            assert lines.readline() == b"USER c\r\n"
            lines.write(b"230 welcome\r\n")
            called.append(from_ftp(lines.readline().decode()))
            with b.host.dial(*called[0]) as transfer:
                transfer.sendall(b"the file")
            lines.write(b"226 done\r\n")

        serving = serve(control, answer)
        received = []
        taking = serve(data, lambda connection: received.append(connection.recv(100)))
        with a.host.dial("240.2.2.20", CONTROL) as session:
            lines = session.makefile("rwb", buffering=0)
            assert lines.readline() == b"220 ready\r\n"
            # The kernel's helper begins to read after the first line of each direction.
            lines.write(b"USER c\r\n")
            assert lines.readline() == b"230 welcome\r\n"
            lines.write(f"PORT {as_ftp('192.168.1.20', 40001)}\r\n".encode())
            assert lines.readline() == b"226 done\r\n"
        serving.join()
        taking.join()
    assert called == [("240.1.1.20", 40001)]
    assert received == [b"the file"]


def test_without_helpers_the_payload_stays_as_it_is(sites):
    """The control for both."""
    a, b = sites
    for site in sites:
        site.router.apply(site.router.toml.read_text().replace('helpers = ["ftp", "sip"]\n', ""))
    with listen(b.host, "192.168.1.20", CONTROL) as control:
        offer = f"227 Entering Passive Mode ({as_ftp('192.168.1.20', 40000)})\r\n".encode()
        serve(control, lambda connection: connection.sendall(offer))
        with a.host.dial("240.2.2.20", CONTROL) as session:
            assert from_ftp(session.makefile("rb").readline().decode()) == ("192.168.1.20", 40000)
