// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/facts.h"
#include "nftctl/kernel/links.h"
#include "nftctl/kernel/route_lookup.h"
#include "nftctl/site/draft.h"
#include "nftctl/site/parse.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

struct Wishes {
    std::string site;
    std::vector<std::string> lans;
    std::vector<std::string> virtual_prefixes;
    std::vector<std::string> peers;
    bool print = false;
};

std::vector<FoundInterface> find_interfaces() {
    netlink::Socket socket(NETLINK_ROUTE);
    const auto links = read_links(socket);
    // Any address of the Internet tells the way to it.
    const auto way_out = look_up_route(Address::v4(0x01010101));
    std::vector<FoundInterface> found;
    for (const auto& interface : read_interfaces(socket, links)) {
        const auto link = std::ranges::find(links, interface.index, &Device::index);
        const unsigned flags = link == links.end() ? 0 : link->flags;
        if ((flags & IFF_LOOPBACK) != 0) continue;
        FoundInterface next{.name = interface.name, .networks = {}};
        // ZeroTier's are Ethernet.
        next.is_overlay = (flags & IFF_POINTOPOINT) != 0 || interface.name.starts_with("zt");
        next.is_default = way_out && way_out->dev == interface.name;
        for (const auto& [address, length] : interface.addresses) {
            const Prefix network(address, length);
            if (address.family() == Family::ipv4 && std::ranges::find(next.networks, network) == next.networks.end())
                next.networks.push_back(network);
        }
        found.push_back(std::move(next));
    }
    return found;
}

std::string host_name() {
    std::array<char, 256> name{};
    check(::gethostname(name.data(), name.size() - 1), "read", "the host name");
    return name.data();
}

/// False: what is missing has been said.
bool add_lan(Draft& draft, const LanWish& wish, const std::vector<FoundInterface>& interfaces) {
    if (wish.real) {
        draft.lans.push_back({wish.interface, *wish.real, std::nullopt});
        return true;
    }
    const auto found = std::ranges::find(interfaces, wish.interface, &FoundInterface::name);
    if (found == interfaces.end() || found->networks.empty()) {
        fmt::print(stderr, "natctl: cannot find the network of {}: {}; name it: --lan {}=192.168.1.0/24\n",
                   wish.interface,
                   found == interfaces.end() ? "there is no such interface" : "the interface has no IPv4 address",
                   wish.interface);
        return false;
    }
    for (const auto& network : found->networks) draft.lans.push_back({wish.interface, network, std::nullopt});
    return true;
}

/// nullopt: why not has been said.
std::optional<Draft> make_draft(const Wishes& wishes) {
    const auto interfaces = find_interfaces();
    Draft draft;
    draft.site = wishes.site.empty() ? site_name_of(host_name()) : wishes.site;
    for (const auto& text : wishes.peers) draft.peers.push_back(*parse_peer_wish(text));
    for (const auto& text : wishes.lans)
        if (!add_lan(draft, *parse_lan_wish(text), interfaces)) return std::nullopt;
    draft.lans_found = wishes.lans.empty();
    if (draft.lans_found) draft.lans = find_lans(interfaces, draft.peers);
    if (draft.lans.empty()) {
        fmt::print(stderr,
                   "natctl: cannot find a LAN: no interface has a private IPv4 address and is not on the way to "
                   "the Internet; name it: --lan INTERFACE\n");
        return std::nullopt;
    }
    if (wishes.virtual_prefixes.size() > draft.lans.size()) {
        fmt::print(stderr,
                   "natctl: cannot use {} virtual prefixes: the LANs have {} networks; name all LANs with --lan\n",
                   wishes.virtual_prefixes.size(), draft.lans.size());
        return std::nullopt;
    }
    for (std::size_t i = 0; i < wishes.virtual_prefixes.size(); ++i)
        draft.lans[i].virtual_prefix = Prefix::parse(wishes.virtual_prefixes[i]);
    for (const auto& interface : interfaces) {
        if (interface.is_overlay && !interface.is_default) draft.overlays.push_back(interface.name);
        draft.taken.insert(draft.taken.end(), interface.networks.begin(), interface.networks.end());
    }
    if (const auto proposed = propose_virtual_prefixes(draft); !proposed.ok) {
        fmt::print(stderr,
                   "natctl: cannot propose a virtual prefix for {}: {} has no room for it; choose one: --virtual "
                   "PREFIX\n",
                   proposed.real.text(), proposal_range().text());
        return std::nullopt;
    }
    return draft;
}

/// Never over something that is there, be it a symbolic link to nowhere.
void write_new(const std::string& path, std::string_view text) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) {
        const int error = errno;
        throw SystemError("create", path, error,
                          error == EEXIST ? "init never overwrites: see the draft with --print, or name another path"
                                          : "name another path, or see the draft with --print");
    }
    while (!text.empty()) {
        const auto count = ::write(file.get(), text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            const int error = errno;
            ::unlink(path.c_str());
            throw SystemError("write", path, error, "name another path, or see the draft with --print");
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

int run(const Options& options, const Wishes& wishes) {
    const auto draft = make_draft(wishes);
    if (!draft) return exit_error;
    const std::string text = write_draft(*draft, options.config);
    const auto parsed = parse_site(text);
    if (!parsed.site) {
        fmt::print(stderr, "{}natctl: cannot write {}: the draft has these mistakes; change the options\n",
                   render(parsed.diagnostics, "draft", text), options.config);
        return exit_error;
    }
    if (!wishes.print) write_new(options.config, text);
    if (options.json)
        fmt::print("{}\n", Json{{"written", wishes.print ? Json() : Json(options.config)}, {"text", text}}.dump(
                               2, ' ', false, Json::error_handler_t::replace));
    else if (wishes.print)
        fmt::print("{}", text);
    return exit_done;
}

} // namespace

void add_init(CommandLine& line) {
    const auto wishes = std::make_shared<Wishes>();
    auto& verb = line.site_verb("init", "Write a first site.toml, from options or from what is found on this router.",
                                "natctl init --print\n"
                                "  natctl init --site a --lan lan0 --virtual 198.18.1.0/24 --peer b=198.18.2.0/24@wg0",
                                [&line, wishes] { return run(line.options(), *wishes); });
    verb.add_option("--site", wishes->site, "name of this site; else the host name");
    verb.add_option("--lan", wishes->lans, "INTERFACE or INTERFACE=PREFIX, repeatable; else what is found")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->check([](const std::string& text) {
            return parse_lan_wish(text) ? "" : text + " is neither INTERFACE nor INTERFACE=PREFIX";
        });
    verb.add_option("--virtual", wishes->virtual_prefixes,
                    "virtual prefix of each network of the LANs in order, repeatable; else one is proposed")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->check([](const std::string& text) { return Prefix::parse(text) ? "" : text + " is no prefix"; });
    verb.add_option("--peer", wishes->peers,
                    "NAME=PREFIX[,PREFIX]@LINK, repeatable; LINK: wg0, eth1/198.51.100.2 or socks5:127.0.0.1:1080")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->check([](const std::string& text) {
            return parse_peer_wish(text) ? "" : text + " is not of the form NAME=PREFIX[,PREFIX]@LINK";
        });
    verb.add_flag("--print", wishes->print, "print it, and write no file");
}

} // namespace natctl
