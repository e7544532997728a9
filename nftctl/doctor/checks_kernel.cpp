// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <system_error>

#include "nftctl/doctor/checks.h"
#include "nftctl/plan/compile.h"

namespace natctl::doctor {

Findings check_configuration(const Examination& seen) {
    if (!seen.configuration)
        return {{.grade = Grade::error,
                 .what = seen.configuration.failure,
                 .why = "without it only the machine is looked at, not the site",
                 .advice = "write " + seen.invocation.config + ", or name another file: natctl doctor FILE"}};
    Findings findings;
    std::size_t warnings = 0;
    for (const Diagnostic& item : *seen.configuration) {
        if (item.severity == Severity::warning) ++warnings;
        if (item.severity != Severity::error) continue;
        Finding finding{.grade = Grade::error,
                        .what = seen.invocation.config +
                                (item.at.line != 0 ? ", line " + std::to_string(item.at.line) : "") + ": " +
                                item.message,
                        .why = "natctl apply refuses the file, and only the machine could be looked at"};
        // What the check of secrets says is a command as it stands.
        (item.remedy.starts_with("chmod ") ? finding.command : finding.advice) = item.remedy;
        findings.push_back(std::move(finding));
    }
    if (warnings != 0)
        findings.push_back({.grade = Grade::note,
                            .what = seen.invocation.config + " has " + std::to_string(warnings) +
                                    (warnings == 1 ? " warning" : " warnings"),
                            .why = "something in it may be meant differently",
                            .advice = "`natctl check " + shell_word(seen.invocation.config) + "` names what"});
    return findings;
}

Findings check_privileges(const Examination& seen) {
    if (seen.plan) return {};
    return {{.grade = Grade::error,
             .what = seen.plan.failure,
             .why = "what the kernel holds cannot be compared with site.toml",
             .advice = "run natctl doctor as root"}};
}

Findings check_features(const Examination& seen) {
    if (!seen.features) return {unchecked(seen.features.failure)};
    Findings findings;
    for (const Feature& feature : *seen.features) {
        if (feature.error == 0) continue;
        Finding finding{
            .grade = Grade::error, .what = "the kernel lacks " + feature.name, .why = "natctl apply would be refused"};
        // An unknown expression is ENOENT: a module can bring it. Everything else is a kernel that is too old.
        if (feature.error == ENOENT)
            finding.command = "modprobe " + feature.module;
        else
            finding.advice =
                (feature.since.empty() ? "use a newer kernel" : "use Linux " + feature.since + " or newer") +
                " (it says: " + std::generic_category().message(feature.error) + ")";
        findings.push_back(std::move(finding));
    }
    return findings;
}

Findings check_ipv6(const Site& site, const Examination& seen) {
    if (!uses(site, Family::ipv6)) return {};
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    const auto all = number(seen, "net.ipv6.conf.all.disable_ipv6");
    if (!all)
        return {{.grade = Grade::error,
                 .what = "this machine has no IPv6",
                 .why = "site.toml has IPv6 prefixes",
                 .advice = "boot without ipv6.disable=1, or take the IPv6 prefixes out of site.toml"}};
    if (*all != 0)
        return {set_sysctl(Grade::error, "net.ipv6.conf.all.disable_ipv6", "0", "IPv6 is switched off",
                           "site.toml has IPv6 prefixes")};
    Findings findings;
    auto interfaces = link_interfaces(site);
    interfaces.insert(interfaces.begin(), site.lan.begin(), site.lan.end());
    for (const auto& name : interfaces) {
        const std::string sysctl = interface_sysctl(Family::ipv6, name, "disable_ipv6");
        if (number(seen, sysctl).value_or(0) == 0) continue;
        Finding finding = set_sysctl(Grade::error, sysctl, "0", "IPv6 is switched off on " + name,
                                     "site.toml has IPv6 prefixes, and " + name + " is one of its interfaces");
        finding.advice = "its IPv6 addresses are lost and have to be added again";
        findings.push_back(std::move(finding));
    }
    return findings;
}

} // namespace natctl::doctor
