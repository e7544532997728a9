// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/link_health.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "nftctl/plan/compile.h"
#include "nftctl/site/link_text.h"

namespace natctl {

namespace {

/// Of all links together, a second.
constexpr int most_probes = 1000;
constexpr unsigned probes_of_silence = 3;

/// When what the kernel refused is worth another try; doubled each time, to about a minute.
constexpr std::chrono::seconds first_refusal(1);
constexpr unsigned most_doublings = 6;

/// The only other address of a network of two: /30, /31, /126, /127.
std::optional<Address> other_end(const Interface& interface) {
    for (const auto& assigned : interface.addresses) {
        const unsigned rest = assigned.address.bits() - assigned.length;
        if (rest != 1 && rest != 2) continue;
        const auto next = assigned.address.next();
        const auto former = assigned.address.previous();
        const AddressRange network = Prefix(assigned.address, assigned.length).range();
        // Of four addresses the first and the last are the network's own.
        const auto is_host = [&](const std::optional<Address>& address) {
            return address && network.contains(*address) &&
                   (rest == 1 || (*address != network.first && *address != network.last));
        };
        if (is_host(next)) return next;
        if (is_host(former)) return former;
    }
    return std::nullopt;
}

/// Of a peer's links, by whatever place: another link may have been put before it. nullptr: there is none.
template <class Links>
auto find_by_text(Links& links, const std::string& peer, const std::string& text) -> decltype(&links.begin()->second) {
    for (auto item = links.lower_bound({peer, 0}); item != links.end() && item->first.peer == peer; ++item)
        if (item->second.text == text) return &item->second;
    return nullptr;
}

std::string seconds_text(LinkHealth::Duration time) {
    return fmt::format("{} s", std::chrono::ceil<std::chrono::seconds>(time).count());
}

} // namespace

void LinkHealth::adjust(const Site& site, Facts& facts, Time now) {
    follow(site, facts, now);
    for (const auto& peer : site.peers) judge(peer, facts, now);
    out_of_use_ = facts.out_of_use;
}

LinkHealth::Known LinkHealth::former(const std::string& peer, const std::string& text, Time now) {
    if (auto* const known = find_by_text(links_, peer, text)) return std::move(*known);
    Known known;
    const auto* const inherited = find_by_text(inherited_, peer, text);
    if (!inherited) return known;
    known.failed = true;
    known.changed = true;
    known.since = inherited->since;
    // As if it had been silent all the time.
    known.has_answered = true;
    known.unanswered = probes_of_silence;
    known.heard = now - std::chrono::hours(1);
    return known;
}

void LinkHealth::follow_interface(Known& known, const Interface* interface, Time now) {
    const bool was_up = known.up;
    const auto former = known.interface;
    known.exists = interface != nullptr;
    known.up = interface && interface->up;
    known.interface = interface ? interface->index : 0;
    if (known.up && !was_up && known.seen) {
        known.heard = now;
        known.unanswered = 0;
    }
    auto addresses = interface ? interface->addresses : std::vector<InterfaceAddress>();
    if (known.up != was_up || known.interface != former || known.addresses != addresses) known.refusal = {};
    known.addresses = std::move(addresses);
}

void LinkHealth::follow_target(Known& known, const DevLink& link, const Interface* interface, bool only, Time now) {
    auto target = link.probe ? link.probe : link.via4 ? link.via4 : link.via6;
    if (!target && interface) target = other_end(*interface);
    // With no other way to go there is nothing to find out, unless somebody wants to know.
    if (!link.probed || (!link.probe && only) || limits_.probe_every <= Duration::zero()) target.reset();
    // An interface may lose its address and get it again.
    if (target && target != known.former_target) {
        if (known.former_target || !known.failed) {
            known.has_answered = false;
            known.heard = now;
            known.unanswered = 0;
        }
        known.former_target = target;
    }
    known.target = target;
    known.must_answer = link.probe.has_value();
    if (target) ++probed_;
}

void LinkHealth::follow(const Site& site, const Facts& facts, Time now) {
    std::map<PeerLink, Known> links;
    probed_ = 0;
    asks_for_proxies_ = false;
    for (const auto& peer : site.peers) {
        bool behind_proxy = false;
        for (std::size_t place = 0; place < peer.links.size(); ++place) {
            const PeerLink name{peer.name, place};
            const auto text = link_text(peer.links[place]);
            auto& known = links[name];
            known = former(peer.name, text, now);
            known.text = text;
            if (const auto* socks = std::get_if<SocksLink>(&peer.links[place])) {
                known.proxy = socks->server;
                behind_proxy = true;
                continue;
            }
            // Among proxies the tunnel chooses by itself.
            asks_for_proxies_ = asks_for_proxies_ || behind_proxy;
            const auto& dev = std::get<DevLink>(peer.links[place]);
            const auto* interface = facts.find(dev.dev);
            known.dev = dev.dev;
            follow_interface(known, interface, now);
            follow_target(known, dev, interface, peer.links.size() == 1, now);
        }
    }
    links_ = std::move(links);
    inherited_.clear();
    if (!asks_for_proxies_) proxies_down_.clear();
    std::erase_if(cut_off_, [&](const auto& item) { return !links_.contains({item.first, 0}); });
}

void LinkHealth::judge(const Peer& peer, Facts& facts, Time now) {
    const auto known_at = [&](std::size_t place) -> Known& { return links_.at({peer.name, place}); };
    bool has_dev = false;
    bool dev_works = false;
    for (std::size_t place = 0; place < peer.links.size(); ++place) {
        auto& known = known_at(place);
        if (now >= known.refusal.until) known.refusal.families.clear();
        for (const auto family : known.refusal.families) facts.unroutable.insert({{peer.name, place}, family});
        auto cause = this->cause(known, now);
        // What an agent before this one found failed waits as if it came back now.
        if (!known.seen && (cause.empty() || !known.failed)) known.since = now;
        // What never worked has not failed.
        if (known.seen && known.cause.empty() != cause.empty()) {
            known.changed = true;
            known.since = now;
            if (!cause.empty()) {
                known.failed = true;
                say(known.dev.empty() || known.up
                        ? fmt::format("peer {} by {}: {}: new flows take the next link", peer.name, known.text, cause)
                        : known.dev + " is down: new flows take the next link of its peers");
            }
        }
        known.seen = true;
        known.cause = std::move(cause);
        known.held = known.held && known.cause.empty();
        if (!known.cause.empty() && (known.up || known.proxy)) facts.out_of_use.insert({peer.name, place});
        const auto is_routable = [&](const Prefix& prefix) {
            return !known.refusal.families.contains(prefix.family());
        };
        known.half = known.is_refused() && std::ranges::any_of(peer.virtual_prefixes, is_routable);
        if (!known.proxy) {
            has_dev = true;
            dev_works = dev_works || known.cause.empty() || known.half;
        }
    }
    // The kernel takes the routes of one IP version: better than none.
    for (std::size_t place = 0; place < peer.links.size() && !usable_link(peer, facts); ++place)
        if (known_at(place).half) facts.out_of_use.erase({peer.name, place});
    // A proxy that is down is still the best there is when nothing else is left.
    if (!usable_link(peer, facts))
        for (std::size_t place = 0; place < peer.links.size(); ++place)
            if (known_at(place).proxy) facts.out_of_use.erase({peer.name, place});

    std::vector<std::size_t> back;
    for (std::size_t place = 0; place < peer.links.size(); ++place) {
        const auto& known = known_at(place);
        if (!known.cause.empty() || !known.failed) continue;
        back.push_back(place);
        if (now < known.since + limits_.hold) facts.out_of_use.insert({peer.name, place});
    }
    for (const auto place : back) {
        auto& known = known_at(place);
        bool wait = now < known.since + limits_.hold;
        if (wait && !usable_link(peer, facts)) {
            // It is the only way, or the first of several that came back together.
            facts.out_of_use.erase({peer.name, place});
            wait = false;
        }
        const auto& what = known.dev.empty() ? known.text : known.dev;
        if (wait && !known.held)
            say(fmt::format("{} is up again, and used when it stays so for {}", what, seconds_text(limits_.hold)));
        if (!wait) {
            say(what + " is up, and used again");
            known.failed = false;
        }
        known.held = wait;
    }

    const auto* const used = usable_link(peer, facts);
    for (std::size_t place = 0; place < peer.links.size(); ++place) known_at(place).used = used == &peer.links[place];
    if (!has_dev || dev_works)
        cut_off_.erase(peer.name);
    else
        cut_off_.try_emplace(peer.name, now, false);
}

bool LinkHealth::is_silent(const Known& known, Time now) const {
    return known.up && known.target && (known.has_answered || known.must_answer) &&
           known.unanswered >= probes_of_silence && now >= known.heard + std::max(limits_.silence, 3 * probe_every());
}

std::string LinkHealth::cause(const Known& known, Time now) const {
    if (known.proxy) {
        const auto found = proxies_down_.find(*known.proxy);
        return found == proxies_down_.end() ? "" : found->second;
    }
    if (!known.exists) return "there is no interface " + known.dev;
    if (!known.up) return "interface " + known.dev + " is down";
    if (now < known.refusal.until) return known.refusal.cause;
    if (is_silent(known, now)) return known.target->text() + " does not answer through it";
    return {};
}

LinkHealth::Duration LinkHealth::probe_every() const {
    const auto least = Duration(std::chrono::seconds(1)) * static_cast<Duration::rep>(probed_) / most_probes;
    return std::max(limits_.probe_every, least);
}

std::vector<LinkHealth::Probe> LinkHealth::probes(Time now) {
    std::vector<Probe> result;
    if (probed_ == 0 || now < next_probe_) return result;
    next_probe_ += probe_every();
    if (next_probe_ <= now) next_probe_ = now + probe_every();
    for (auto& [name, known] : links_) {
        if (!known.target || !known.up) continue;
        result.push_back({.link = name, .interface = known.interface, .target = *known.target});
    }
    return result;
}

void LinkHealth::asked(const PeerLink& link) {
    if (const auto found = links_.find(link); found != links_.end()) ++found->second.unanswered;
}

void LinkHealth::answered(const PeerLink& link, Time now) {
    const auto found = links_.find(link);
    if (found == links_.end() || !found->second.target) return;
    found->second.has_answered = true;
    found->second.heard = now;
    found->second.unanswered = 0;
}

bool LinkHealth::refuse(const PeerLink& link, Family family, std::string cause, Time now) {
    const auto found = links_.find(link);
    if (found == links_.end() || !found->second.refusal.families.insert(family).second) return false;
    auto& refusal = found->second.refusal;
    refusal.cause = std::move(cause);
    refusal.until = now + first_refusal * (1 << std::min(refusal.count, most_doublings));
    ++refusal.count;
    return true;
}

void LinkHealth::routes_taken(Time now) {
    for (auto& [name, known] : links_)
        if (known.used && now >= known.refusal.until) known.refusal = {};
}

void LinkHealth::proxies_are(std::map<Endpoint, std::string> down) { proxies_down_ = std::move(down); }

bool LinkHealth::has_news(Time now) const {
    return std::ranges::any_of(links_, [&](const auto& item) {
        const Known& known = item.second;
        // It may have fallen silent as well meanwhile.
        const bool try_again = known.is_refused() && now >= known.refusal.until;
        return known.cause.empty() != cause(known, now).empty() || try_again ||
               (known.held && now >= known.since + limits_.hold);
    });
}

LinkHealth::Time LinkHealth::due(Time now) const {
    auto due = Time::max();
    if (probed_ != 0) due = next_probe_;
    for (const auto& [name, known] : links_) {
        if (known.held) due = std::min(due, known.since + limits_.hold);
        if (known.is_refused()) due = std::min(due, known.refusal.until);
    }
    for (const auto& [peer, cut] : cut_off_)
        if (!cut.second) due = std::min(due, cut.first + limits_.end);
    return std::max(due, now);
}

std::vector<std::string> LinkHealth::ended(Time now) {
    std::vector<std::string> peers;
    for (auto& [peer, cut] : cut_off_)
        if (!cut.second && now >= cut.first + limits_.end) {
            cut.second = true;
            peers.push_back(peer);
        }
    return peers;
}

void LinkHealth::not_ended(const std::vector<std::string>& peers, Time now) {
    constexpr std::chrono::seconds pause(1);
    for (const auto& peer : peers)
        if (const auto cut = cut_off_.find(peer); cut != cut_off_.end())
            cut->second = {now - limits_.end + pause, false};
}

bool LinkHealth::has_flows_to_end() const {
    return std::ranges::any_of(cut_off_, [](const auto& item) { return !item.second.second; });
}

FailedLinks LinkHealth::failed() const {
    FailedLinks result;
    for (const auto& [name, known] : links_)
        if (const bool out = out_of_use_.contains(name); known.failed || out)
            result[name] = {
                .since = known.since, .out_of_use = out, .unroutable = known.refusal.families, .text = known.text};
    return result;
}

std::vector<LinkHealth::State> LinkHealth::states(Time now) const {
    std::vector<State> result;
    for (const auto& [name, known] : links_) {
        State state{.link = name, .text = known.text};
        if (!known.cause.empty() && !(known.half && known.used))
            state.standing = Standing::down;
        else if (known.held)
            state.standing = Standing::held;
        else if (known.used)
            state.standing = Standing::used;
        if (known.changed) state.since = std::chrono::floor<std::chrono::seconds>(now - known.since);
        state.cause = known.cause;
        result.push_back(std::move(state));
    }
    return result;
}

void LinkHealth::say(std::string text) {
    if (std::ranges::find(messages_, text) == messages_.end()) messages_.push_back(std::move(text));
}

std::vector<std::string> LinkHealth::messages() { return std::exchange(messages_, {}); }

} // namespace natctl
