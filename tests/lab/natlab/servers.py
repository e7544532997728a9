# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that people really run: nginx, microsocks, dante."""

import os

NGINX = """
daemon off;
master_process off;
pid {dir}/pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 80;
        listen [::]:80;
        location = / {{ return 200 "This is {name}. You are $remote_addr.\\n"; }}
        location / {{ root {dir}/files; }}
    }}
}}
"""


def nginx(machine, **files):
    """A web server on port 80 with a page that names the machine and its client, and files (name=megabytes)."""
    place = machine.lab.directory / f"nginx-{machine.label}"
    (place / "files").mkdir(parents=True)
    for name, megabytes in files.items():
        block = os.urandom(1 << 20)
        with open(place / "files" / name, "wb") as file:
            for _ in range(megabytes):
                file.write(block)
    (place / "conf").write_text(NGINX.format(dir=place, name=machine.label))
    program = machine.start("nginx", "nginx", "-p", place, "-c", place / "conf", "-e", "stderr")
    return program.wait_until(lambda: machine.listens(80), "it listens on port 80")


def page_of(host, client):
    """What the web server of `host` shows to a client that it sees under this address."""
    return f"This is {host}. You are {client}.\n"


def microsocks(machine, address, port, user=None, password=None):
    """A SOCKS5 server, TCP only, that wants a user and a password, if there are any."""
    credentials = ["-u", user, "-P", password] if user else []
    program = machine.start("microsocks", "microsocks", "-i", address, "-p", port, *credentials)
    return program.wait_until(lambda: machine.listens(port), f"it listens on {address}:{port}")


DANTE = """
logoutput: stderr
internal: {address} port = {port}
external: {external}
external.rotation: route
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
udp.connectdst: {connect}
client pass {{ from: 0/0 to: 0/0 }}
socks pass {{ from: 0/0 to: 0/0 }}
"""


def dante(machine, address, port, external="lan0", any_may_answer=False):
    """A SOCKS5 server, TCP and UDP, that takes everybody. It dials from the interface `external`, or from another one
    where a route leads. `any_may_answer`: its UDP sockets take what comes from others than those they sent to."""
    file = machine.lab.directory / f"danted-{machine.label}.conf"
    connect = "no" if any_may_answer else "yes"
    file.write_text(DANTE.format(address=address, port=port, external=external, connect=connect))
    program = machine.start("danted", "/usr/sbin/danted", "-N", "2", "-f", file)
    return program.wait_until(lambda: machine.listens(port), f"it listens on {address}:{port}")
