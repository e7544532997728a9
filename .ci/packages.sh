# SPDX-License-Identifier: GPL-3.0-or-later
# Debian packages, sourced by ./dev. `need SET...` installs what is missing of the named sets and says nothing when
# nothing is; then it touches neither apt nor the network.

build_packages="g++ cmake ninja-build pkg-config ccache libnftnl-dev libmnl-dev libnetfilter-conntrack-dev
    libasio-dev libc-ares-dev libtomlplusplus-dev doctest-dev libcli11-dev libfmt-dev libspdlog-dev nlohmann-json3-dev"
lab_packages="python3 nftables iproute2 iputils-ping conntrack tcpdump procps nginx-light iperf3 v2ray microsocks ipset
    socat curl wget wireguard-go wireguard-tools ethtool strace time
    dante-server dnsmasq-base wrk radvd"
test_packages="$lab_packages python3-pytest python3-pytest-xdist python3-prometheus-client chromium chromium-driver
    python3-selenium dante-client proxychains4 stun-client stun-server systemd"
lint_packages="clang-format clang-tidy groff-base python3 git"
fuzz_packages="clang libclang-rt-14-dev"
package_packages="dpkg-dev file"
all_sets="build lab test lint fuzz package"

need() {
    local set list missing
    missing=$(for set in "$@"; do
        list=${set}_packages
        missing_packages ${!list}
    done | sort -u | tr '\n' ' ')
    [[ -z $missing ]] || install_packages $missing
}

missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

install_packages() {
    local log status=0
    if [[ $EUID != 0 ]]; then
        echo "dev: these Debian packages are missing: $*; install them with: sudo ./dev deps" >&2
        return 1
    fi
    echo "dev: installing $*" >&2
    log=$(mktemp)
    forbid_services
    # A failed update is no reason to stop: the packages may lie in apt's cache, and install says so if not.
    apt_get update >"$log" 2>&1 || true
    apt_get install "$@" >>"$log" 2>&1 || status=$?
    allow_services
    if ((status)); then
        cat "$log" >&2
        rm -f "$log"
        echo "dev: cannot install $*: apt's messages stand above. It needs a Debian mirror this once; afterwards" \
            "everything works without a network." >&2
        return 1
    fi
    rm -f "$log"
    disable_services "$@"
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# nginx, v2ray and iperf3 bring services. The lab runs its own copies inside namespaces: on this machine they must
# neither start now (policy-rc.d exit 101 is how Debian says so to every package script; a policy that was there is
# put back, also after an interrupt) nor at the next boot (the units of what was just installed are disabled).
policy=/usr/sbin/policy-rc.d

forbid_services() {
    trap allow_services EXIT
    [[ -e $policy.natctl-saved || ! -e $policy ]] || mv "$policy" "$policy.natctl-saved"
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

allow_services() {
    rm -f "$policy"
    [[ ! -e $policy.natctl-saved ]] || mv "$policy.natctl-saved" "$policy"
    trap - EXIT
}

disable_services() {
    local unit
    command -v systemctl >/dev/null || return 0
    dpkg -L "$@" nginx-common 2>/dev/null | sed -n 's|.*/systemd/system/\([^/@]*\.service\)$|\1|p' | sort -u |
        while read -r unit; do systemctl --quiet disable "$unit" >/dev/null 2>&1 || true; done
}
