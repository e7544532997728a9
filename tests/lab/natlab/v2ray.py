# SPDX-License-Identifier: GPL-3.0-or-later
"""v2ray, which people run as Xray: configurations as short as they get."""

import json

#: Any UUID does.
USER = "5783a3e7-e373-51cd-8642-c83782b807c5"


def socks_inbound(address, port):
    settings = {"auth": "noauth", "udp": True, "ip": address}
    return {"listen": address, "port": port, "protocol": "socks", "settings": settings}


def transparent_inbound(address, port):
    """Takes what TPROXY hands over."""
    return {
        "listen": address,
        "port": port,
        "protocol": "dokodemo-door",
        "settings": {"network": "tcp,udp", "followRedirect": True},
        "streamSettings": {"sockopt": {"tproxy": "tproxy"}},
    }


def vless_inbound(address, port):
    return {
        "listen": address,
        "port": port,
        "protocol": "vless",
        "settings": {"decryption": "none", "clients": [{"id": USER}]},
        "streamSettings": {"network": "tcp"},
    }


FREEDOM = {"tag": "direct", "protocol": "freedom"}


def socks_outbound(tag, address, port, user=None, password=None):
    server = {"address": address, "port": port}
    if user:
        server["users"] = [{"user": user, "pass": password}]
    return {"tag": tag, "protocol": "socks", "settings": {"servers": [server]}}


def http_outbound(tag, address, port, user, password):
    """An HTTP proxy, which v2ray asks by CONNECT."""
    server = {"address": address, "port": port, "users": [{"user": user, "pass": password}]}
    return {"tag": tag, "protocol": "http", "settings": {"servers": [server]}}


def vless_outbound(tag, address, port):
    server = {"address": address, "port": port, "users": [{"id": USER, "encryption": "none"}]}
    return {"tag": tag, "protocol": "vless", "settings": {"vnext": [server]}, "streamSettings": {"network": "tcp"}}


def route(prefixes, tag):
    """Destinations in the prefixes go to the outbound with that tag."""
    return {"type": "field", "ip": list(prefixes), "outboundTag": tag}


def v2ray(machine, inbounds, outbounds, routes=(), name="v2ray", prefix=()):
    """Starts it with these parts; what no route names goes to the first outbound. `prefix`: a command that becomes
    another user or the like before; it may be one who cannot read the file."""
    configuration = {
        "log": {"loglevel": "warning"},
        "inbounds": inbounds,
        "outbounds": outbounds,
        "routing": {"domainStrategy": "AsIs", "rules": list(routes)},
    }
    file = machine.lab.directory / f"{machine.label}-{name}.json"
    file.write_text(json.dumps(configuration, indent=2))
    program = machine.start(name, "sh", "-c", 'exec "$@" -config stdin: < "$0"', file, *prefix, "v2ray")
    listening = lambda: all(machine.listens(inbound["port"]) for inbound in inbounds)
    return program.wait_until(listening, "it listens")
