// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Names of hosts and what they resolve to, sorted. Names that do not resolve are absent.
using Endpoints = std::map<std::string, std::vector<Address>>;

/// Both families of a name; empty when it does not resolve. May block and be called by several threads at once.
using Lookup = std::function<std::vector<Address>(const std::string&)>;

/// By getaddrinfo(3): /etc/hosts, the DNS, whatever the machine is set up for.
std::vector<Address> look_up_host(const std::string& name);

/// All names at once. What has not answered by then is absent; its lookup goes on in a thread of its own, and is
/// forgotten.
Endpoints resolve(const std::vector<std::string>& names, std::chrono::milliseconds deadline, const Lookup& look_up);

/// The names on the site's white list, addresses left out.
std::vector<std::string> endpoint_names(const Site& site);

/// What natctl resolved last, as STATE_DIR/endpoints.json. Empty when there is none, or nothing sensible in it.
Endpoints read_endpoints(const std::string& state_dir);
/// Whole or not at all. Throws SystemError.
void write_endpoints(const std::string& state_dir, const Endpoints& endpoints);

struct Resolution {
    Endpoints endpoints;
    /// Names that did not resolve and never did, and those whose last known addresses stand in.
    std::vector<std::string> unresolved;
    std::vector<std::string> remembered;
};

/// What was resolved now, completed from `last`.
Resolution complete(const std::vector<std::string>& names, Endpoints now, const Endpoints& last);

/// The endpoints of the site's white list now, with warnings on stderr and the last known addresses of those that do
/// not resolve within two seconds. Remembers what it found.
Endpoints resolve_endpoints(const Site& site, const std::string& state_dir);

} // namespace natctl
