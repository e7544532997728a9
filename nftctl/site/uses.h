// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/site/site.h"

namespace natctl {

/// Whether TCP of [intercept] comes to the tunnel by REDIRECT instead of TPROXY.
bool redirects(const Site& site);

/// Whether anything of the site goes through natctl-tunnel.
bool uses_tunnel(const Site& site);

} // namespace natctl
