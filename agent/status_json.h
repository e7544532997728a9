// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "agent/view.h"

namespace natctl {

/// What the status page asks for every other second (page/page.js reads it).
std::string status_json(const View& view);

} // namespace natctl
