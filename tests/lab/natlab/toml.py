# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for site.toml."""


def quoted(values):
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def site(own, ipv6=False):
    """The site's own part: its LANs and its maps."""
    text = f"""\
site = "{own.name}"
lan  = ["lan0", "lan1"]

[[map]]
virtual = "{own.prefix}"
real    = "192.168.1.0/24"

[[map]]
virtual = "{own.second_prefix}"
real    = "10.10.10.0/24"

[[map]]                           # a single host, beside its place in the prefix above
virtual = "{own.virtual(200)}"
real    = "10.10.10.7"
"""
    if ipv6:
        text += f"""
[[map]]
virtual = "{own.prefix6}"
real    = "fd00:a::/64"
"""
    return text


def peer(other, link, ipv6=False):
    """What one site knows of another: its prefixes, and the way to it."""
    prefixes = [other.prefix, other.second_prefix] + ([other.prefix6] if ipv6 else [])
    return f"""
[[peer]]
name    = "{other.name}"
virtual = {quoted(prefixes)}
link    = {link}
"""


def listener(listen, allow=(), user=None, password_file=None, to=(), protocol="socks5"):
    """A listener of the tunnel, socks5 or http."""
    text = f"""
[[tunnel.{protocol}]]
listen = "{listen}"
"""
    if allow:
        text += f"allow  = {quoted(allow)}\n"
    if user:
        text += f'user   = "{user}"\npassword_file = "{password_file}"\n'
    if to:
        text += f"to     = {quoted(to)}\n"
    return text
