// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "agent/view.h"

namespace natctl {

inline constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// What stands under /metrics.
std::string metrics(const View& view);

} // namespace natctl
