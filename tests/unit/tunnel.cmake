# SPDX-License-Identifier: GPL-3.0-or-later
natctl_unit_test(tunnel_codec_test
  SOURCES tunnel_access_test.cpp tunnel_addresses_test.cpp tunnel_datagram_test.cpp tunnel_echo_flows_test.cpp
    tunnel_echo_test.cpp tunnel_http_body_test.cpp tunnel_http_head_test.cpp tunnel_http_request_test.cpp
    tunnel_socks5_test.cpp
  LINK natctl_tunnel_codec)
natctl_unit_test(tunnel_test
  SOURCES
    tunnel_association_test.cpp
    tunnel_batch_test.cpp
    tunnel_deadlines_test.cpp
    tunnel_http_server_test.cpp
    tunnel_limits_test.cpp
    tunnel_health_test.cpp
    tunnel_peer_test.cpp
    tunnel_relay_test.cpp
    tunnel_roll_call_test.cpp
    tunnel_server_test.cpp
    tunnel_sockets.cpp
    tunnel_status_test.cpp
    tunnel_warm_test.cpp
  LINK natctl_tunnel nlohmann_json::nlohmann_json)
