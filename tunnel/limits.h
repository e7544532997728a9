// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

#include "tunnel/status.h"
#include "tunnel/worker.h"

namespace natctl {

/// Raises the soft limit of open files to the hard one and returns it. It stays as it is when the system refuses.
std::size_t raise_descriptor_limit();

/// Descriptors of which share_limits() makes so many TCP flows, and all else in proportion.
std::size_t descriptors_for(std::size_t flows, std::size_t threads);

/// Shares `descriptors` among `threads`, so that flows are kept waiting before the descriptors run out: half of
/// all for TCP flows, two each, a quarter for the pipes of those that move and for warm connections, and a quarter for
/// UDP. Bytes that wait in pipes and for associations are limited in proportion to the flows.
/// Where so many `flows` are wanted (0: no matter) that half is too little for them, the others get what they leave,
/// but never nothing.
WorkerLimits share_limits(std::size_t descriptors, std::size_t threads, std::size_t flows = 0);

/// Of all threads.
LimitStatus sum_of(const WorkerLimits& limits, std::size_t threads);

} // namespace natctl
