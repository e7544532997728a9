// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/plan/trace_packet.h"

namespace natctl::nft {

/// packet_field(), and the fields that ask for routes.
FieldValue field_value(const Plan& plan, const Surroundings& surroundings, Field field, const Packet& packet,
                       const Connection& connection);

} // namespace natctl::nft
