# SPDX-License-Identifier: GPL-3.0-or-later
natctl_fuzz_target(echo SOURCES echo_fuzz.cpp LINK natctl_tunnel_codec)
natctl_fuzz_target(http_head SOURCES http_head_fuzz.cpp LINK natctl_tunnel_codec)
natctl_fuzz_target(socks5_server SOURCES socks5_server_fuzz.cpp LINK natctl_tunnel_codec)
natctl_fuzz_target(socks5_client SOURCES socks5_client_fuzz.cpp LINK natctl_tunnel_codec)
natctl_fuzz_target(socks5_datagram SOURCES socks5_datagram_fuzz.cpp LINK natctl_tunnel_codec)
