# SPDX-License-Identifier: GPL-3.0-or-later
"""A real DNS server (dnsmasq) for the zone `test`, whose records change, and programs that ask it."""

import contextlib
import socket
import threading

PORT = 53
#: RFC 1035, section 4.1.1
SERVFAIL, REFUSED = 2, 5


class NameServer:
    """Serves what records() was given last, on 127.0.0.1 of a machine. Its clients keep an answer for `ttl` seconds."""

    def __init__(self, machine, ttl=1):
        self.machine = machine
        self.hosts = machine.lab.directory / f"{machine.label}-records"
        self.hosts.write_text("")
        self.resolv_conf = machine.lab.directory / f"{machine.label}-resolv.conf"
        self.resolv_conf.write_text("nameserver 127.0.0.1\n")
        self.no_hosts = machine.lab.directory / f"{machine.label}-hosts"
        self.no_hosts.write_text("127.0.0.1 localhost\n")
        self._options = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root"]
        self._options += ["--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file", "--local=/test/"]
        self._options += [f"--local-ttl={ttl}", f"--addn-hosts={self.hosts}", "--cname=alias.test,proxy.test"]
        self.start()

    def start(self):
        self.program = self.machine.start("dnsmasq", "dnsmasq", *self._options)
        self.program.wait_until(lambda: self.machine.listens(PORT), "it listens on port 53")

    def stop(self):
        self.program.stop()

    def records(self, **addresses):
        """records(proxy=["192.0.2.1", "2001:db8::1"]): what proxy.test is from now on. Others do not exist."""
        lines = [f"{address} {name}.test" for name, found in addresses.items() for address in found]
        self.hosts.write_text("\n".join(lines) + "\n")
        self.program.send("SIGHUP")

    def under(self):
        """The words of a command that gives what follows this server as its only one, and no /etc/hosts."""
        script = 'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"'
        return ["unshare", "-m", "sh", "-c", script, "sh", self.resolv_conf, self.no_hosts]


@contextlib.contextmanager
def failing_server(machine, code):
    """On 127.0.0.1 of a machine: answers every question with that code alone. Yields the list of those who asked."""
    clients = []
    with machine.inside():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", PORT))
    stop = threading.Event()

    def answer():
        while True:
            question, client = server.recvfrom(512)
            if stop.is_set():
                return
            clients.append(client)
            # A response, to one question, without records: RD and RA set.
            header = question[:2] + bytes([0x81, 0x80 | code, 0, 1]) + bytes(6)
            end = question.index(b"\0", 12) + 5
            server.sendto(header + question[12:end], client)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield clients
    finally:
        stop.set()
        with machine.socket(kind=socket.SOCK_DGRAM) as last:
            last.sendto(b"the end", ("127.0.0.1", PORT))
        thread.join()
        server.close()
