// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/xray/configuration.h"

namespace natctl {

/// Reads the files that the site names for Xray. Throws SystemError when one is missing, readable by others, or holds
/// no id.
XraySecrets read_xray_secrets(const Site& site);

} // namespace natctl
