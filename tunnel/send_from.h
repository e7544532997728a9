// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <system_error>

#include "nftctl/base/address.h"
#include "tunnel/datagram_batch.h"

namespace natctl {

/// Sends `header` and `payload` as one datagram by a raw socket, under `source`, which may be anybody's address if the
/// socket is transparent. Does not wait.
std::error_code send_from(int fd, const Address& source, const Address& to, DatagramView header, DatagramView payload);

} // namespace natctl
