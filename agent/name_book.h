// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/kernel/resolve.h"

namespace natctl {

/// What is asked of the DNS: A or AAAA.
struct Question {
    std::string name;
    Family family = Family::ipv4;
    auto operator<=>(const Question&) const = default;
};

struct NameAnswer {
    enum class Kind : std::uint8_t {
        addresses,
        /// The name exists, without addresses of this family.
        none,
        /// No such name, no answer, a server that fails.
        failure,
    };
    Kind kind = Kind::failure;
    std::vector<Address> addresses = {};
    /// Of the record that expires first.
    std::chrono::seconds ttl{};
    /// Of a failure, for people.
    std::string cause = {};
};

/// Addresses of names over time. Each is asked for again when its time to live is over. What does not resolve keeps the
/// addresses it had last, and is asked for again after 1, 2, 4 ... seconds; an address that a name has lost stays for a
/// while, as flows to it are still on their way and other resolvers still tell it.
class NameBook {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    struct Limits {
        /// Of an address that its name has lost.
        Duration grace = std::chrono::seconds(60);
        Duration first_retry = std::chrono::seconds(1);
        Duration last_retry = std::chrono::seconds(60);
        /// Of times to live. 0, also that of /etc/hosts, counts as `of_zero`.
        Duration shortest = std::chrono::seconds(1);
        Duration longest = std::chrono::hours(1);
        Duration of_zero = std::chrono::seconds(5);
        /// Until a family without addresses is asked for again.
        Duration of_none = std::chrono::seconds(60);
    };

    explicit NameBook(Limits limits) : limits_(limits) {}

    /// Exactly these from now on. Those that are new begin with what `last` has of them, and are to be asked for.
    void set(const std::vector<std::string>& names, const Endpoints& last);

    /// What is to be asked for now. Each is expected to be answered.
    std::vector<Question> questions(Time now);
    void answer(const Question& question, const NameAnswer& answer, Time now);
    /// What failed is worth another try: an interface or address has come.
    void network_changed();

    /// What the names stand for now; those that never resolved are absent. Sorted.
    Endpoints endpoints(Time now);
    /// When questions() or endpoints() have something new to say by themselves; Time::max(): never.
    Time due() const;

    struct State {
        std::string name;
        /// Sorted.
        std::vector<Address> addresses;
        /// Why it does not resolve now; empty: it does.
        std::string failure;
    };
    std::vector<State> states(Time now);

    /// Since the last call, a line each.
    struct Message {
        bool warning = false;
        std::string text;
    };
    std::vector<Message> messages();

private:
    struct Entry {
        std::vector<Address> addresses;
        /// Lost, and until when they stay.
        std::map<Address, Time> leaving;
        Time next{};
        bool asked = false;
        bool resolves = false;
        unsigned failures = 0;
        /// Of a failure.
        Time failed{};
    };
    struct Name {
        /// By family.
        std::array<Entry, 2> entries;
        /// Why it does not resolve, once that has been said; empty: it does.
        std::string failure = {};
    };
    static std::size_t index(Family family) { return family == Family::ipv4 ? 0 : 1; }

    void accept(const Question& question, std::vector<Address> addresses, Time now);
    void fail(const Question& question, const std::string& cause, Time now);

    Limits limits_;
    std::map<std::string, Name> names_;
    std::vector<Message> messages_;
};

} // namespace natctl
