# SPDX-License-Identifier: GPL-3.0-or-later
"""A real DNS server (dnsmasq) for the zone `test`, whose records change, and programs that ask it."""

PORT = 53


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
