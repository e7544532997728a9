// SPDX-License-Identifier: GPL-3.0-or-later
// The one place where asio's own code is compiled (ASIO_SEPARATE_COMPILATION).
#include <asio/impl/src.hpp>
