// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "nftctl/kernel/link_file.h"
#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Which links work, as their interfaces, probes through them and natctl-tunnel say, and which of them new flows are
/// not to take. Sends nothing itself: it is told of answers and reports, each with the time.
///
/// A link that fails is believed at once. One that works again is used only after it has done so for a while, unless
/// its peer has no other: new flows do not follow a link that flaps.
class LinkHealth {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    struct Limits {
        /// Between probes of a link; more where there are many. 0: none are sent.
        Duration probe_every = std::chrono::milliseconds(200);
        /// So long, and for three probes, nothing came back from a link that does not work.
        Duration silence = std::chrono::milliseconds(700);
        /// How long one that failed must work again.
        Duration hold = std::chrono::seconds(5);
        /// When a peer has had no working interface link for so long, the flows that live on them are ended.
        Duration end = std::chrono::seconds(30);
    };

    explicit LinkHealth(Limits limits) : limits_(limits) {}

    /// Links that another agent found failed, and since when: nobody believes them before they have shown that they
    /// work. Called before anything else.
    void inherit(FailedLinks failed) { inherited_ = std::move(failed); }
    /// Those that failed, or are out of use for another reason, for the next agent.
    FailedLinks failed() const;

    /// Takes note of the interfaces as they are, and says in `facts` which links are out of use.
    void adjust(const Site& site, Facts& facts, Time now);

    struct Probe {
        PeerLink link;
        /// Index of the interface.
        std::uint32_t interface = 0;
        Address target;
    };
    /// What is to be sent now, once.
    std::vector<Probe> probes(Time now);
    /// It was sent, or the network refused it: an answer is waited for.
    void asked(const PeerLink& link);
    void answered(const PeerLink& link, Time now);

    /// The kernel takes no route of that family by this link: it is down until something changes at its interface, or
    /// until it is worth another try, unless it is the only way and carries the other family. False: that was known.
    bool refuse(const PeerLink& link, Family family, std::string cause, Time now);
    /// The kernel took all that was planned.
    void routes_taken(Time now);

    /// What natctl-tunnel said of the proxies: those that are down, with the cause. It is asked only where it matters.
    void proxies_are(std::map<Endpoint, std::string> down);
    bool asks_for_proxies() const { return asks_for_proxies_; }

    /// Whether adjust() would come to something else than it did.
    bool has_news(Time now) const;
    /// When to ask for probes and news again; Time::max(): nothing is waiting.
    Time due(Time now) const;

    /// Peers whose flows on interface links are to be ended, each once.
    std::vector<std::string> ended(Time now);
    /// It could not be done: they come again.
    void not_ended(const std::vector<std::string>& peers, Time now);
    /// Whether flows may have to be ended that have not been.
    bool has_flows_to_end() const;

    enum class Standing : std::uint8_t {
        used,
        /// It works, as far as is known, and another one is preferred.
        standby,
        /// It works again, and is waited for.
        held,
        down,
    };
    struct State {
        PeerLink link;
        std::string text;
        Standing standing = Standing::standby;
        /// How long it has worked or not; absent: always, as far as is known.
        std::optional<std::chrono::seconds> since = {};
        /// While it is down.
        std::string cause = {};
    };
    /// Sorted by link.
    std::vector<State> states(Time now) const;

    /// Since the last call, each once: "ov0 is down: ...".
    std::vector<std::string> messages();

private:
    struct Known {
        std::string text;
        /// Of the interface; empty for a proxy.
        std::string dev;
        std::optional<Endpoint> proxy;
        std::uint32_t interface = 0;
        bool exists = false;
        bool up = false;

        /// Why the kernel took no route by it, and of which families, until when that is believed, and how often in a
        /// row it was so.
        struct Refusal {
            std::string cause;
            std::set<Family> families;
            Time until{};
            unsigned count = 0;
        };
        Refusal refusal;
        std::vector<InterfaceAddress> addresses;

        /// Who is asked; absent: nobody.
        std::optional<Address> target;
        /// Who was asked last.
        std::optional<Address> former_target;
        /// It stands in site.toml: then it counts also when it has never answered.
        bool must_answer = false;
        bool has_answered = false;
        /// Of the last answer, or when it became possible to get one.
        Time heard{};
        /// Probes since then.
        unsigned unanswered = 0;

        /// As adjust() found last. Empty: it works.
        std::string cause;
        bool seen = false;
        /// At `since`.
        bool changed = false;
        Time since{};
        /// It worked before it did not.
        bool failed = false;
        bool held = false;
        bool used = false;
        /// It is refused, and one of the families has routes.
        bool half = false;

        /// That is why it was found down last.
        bool is_refused() const { return !cause.empty() && cause == refusal.cause; }
    };

    /// What is known of the link so far, wherever it stood in site.toml.
    Known former(const std::string& peer, const std::string& text, Time now);
    void follow_interface(Known& known, const Interface* interface, Time now);
    void follow_target(Known& known, const DevLink& link, const Interface* interface, bool only, Time now);
    bool is_silent(const Known& known, Time now) const;
    /// What is wrong with it now; empty: nothing.
    std::string cause(const Known& known, Time now) const;
    void follow(const Site& site, const Facts& facts, Time now);
    void judge(const Peer& peer, Facts& facts, Time now);
    void say(std::string text);
    Duration probe_every() const;

    Limits limits_;
    FailedLinks inherited_;
    std::map<PeerLink, Known> links_;
    /// As adjust() said last.
    std::set<PeerLink> out_of_use_;
    std::map<Endpoint, std::string> proxies_down_;
    bool asks_for_proxies_ = false;
    std::size_t probed_ = 0;
    Time next_probe_{};
    /// Since when no interface link of a peer that has some works; true: its flows have been ended.
    std::map<std::string, std::pair<Time, bool>> cut_off_;
    std::vector<std::string> messages_;
};

} // namespace natctl
