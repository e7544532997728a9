// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/limits.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "tunnel/listener.h"
#include "tunnel/ready_file.h"
#include "tunnel_sockets.h"

using namespace natctl;

TEST_CASE("what is shared out never exceeds the descriptors, and a little is always left to work with") {
    for (const std::size_t descriptors : {64u, 256u, 1024u, 65536u, 1u << 20, 1u << 30})
        for (const std::size_t threads : {1u, 2u, 8u}) {
            CAPTURE(descriptors);
            CAPTURE(threads);
            const WorkerLimits limits = share_limits(descriptors, threads);
            CHECK(limits.max_flows >= 4);
            CHECK(limits.max_pipes >= 2);
            CHECK(limits.max_strangers >= 2);
            CHECK(limits.max_strangers <= limits.max_flows);
            if (descriptors >= 1024)
                CHECK(threads * (2 * (limits.max_flows + limits.max_pipes + limits.max_associations) +
                                 limits.max_reply_sockets + limits.max_warm) <
                      descriptors);
        }
    CHECK(share_limits(1u << 20, 2).max_flows > 100'000);
}

TEST_CASE("one number of flows decides about all limits") {
    for (const std::size_t flows : {16u, 100u, 10'000u, 200'000u})
        for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
            CAPTURE(flows);
            CAPTURE(threads);
            const std::size_t descriptors = descriptors_for(flows, threads);
            const LimitStatus sum = sum_of(share_limits(descriptors, threads, flows), threads);
            CHECK(sum.flows >= flows);
            CHECK(sum.flows < flows + std::max<std::size_t>(threads, 4 * threads));
            // The fewest of each kind, where the number is small.
            CHECK(sum.descriptors <= descriptors + 16 * threads);
            CHECK(sum.pipe_bytes <= (flows << 14) + threads * (std::size_t{8} << 20));
            CHECK(sum.waiting_bytes <= (flows << 13) + threads * (std::size_t{2} << 20));
        }
}

TEST_CASE("where the descriptors are too few for all, the flows that are wanted come first") {
    // Pipes, warm connections and UDP share what two descriptors a flow leave.
    CHECK(sum_of(share_limits(20'000, 2, 9'900), 2).flows == 9'900);
    CHECK(sum_of(share_limits(20'000, 1, 9'900), 1).flows == 9'900);
    for (const std::size_t descriptors : {512u, 1024u, 20'000u, 65'536u, 1u << 20})
        for (const std::size_t threads : {1u, 2u, 8u})
            for (const std::size_t flows : {16u, 100u, 1'000u, 7'000u, 9'900u, 1'000'000u}) {
                CAPTURE(descriptors);
                CAPTURE(threads);
                CAPTURE(flows);
                const std::size_t files = std::min<std::size_t>(descriptors, descriptors_for(flows, threads));
                const LimitStatus sum = sum_of(share_limits(files, threads, flows), threads);
                // Of the loops and of what pipes and UDP get at least.
                const std::size_t kept = 32 + threads * (16 + 64);
                CHECK(sum.flows + threads >= std::min(flows, (files - std::min(files, kept)) / 2));
                CHECK(sum.flows >= sum_of(share_limits(files, threads), threads).flows);
                CHECK(sum.pipes >= 2 * threads);
                CHECK(sum.associations >= 2 * threads);
                CHECK(sum.descriptors <= files + 16 * threads);
                if (files >= 1024) CHECK(sum.descriptors <= files);
            }
}

TEST_CASE("an address that is taken is refused, also when the other shares it") {
    const ListenerAddress address{ListenerKind::proxy, {test::fresh_address(), 1080}};
    const auto first = open_listeners(address, 2);
    CHECK(first.size() == 2);
    CHECK_THROWS_WITH_AS(open_listeners(address, 2),
                         doctest::Contains("another program listens there: stop it or choose another port"),
                         SystemError);
}

TEST_CASE("an address may come later than the listener") {
    const auto sockets = open_listeners({ListenerKind::proxy, *Endpoint::parse("203.0.113.77:1080")}, 1);
    CHECK(sockets.size() == 1);
}

TEST_CASE("the ready file holds the process id while the program is ready") {
    const auto folder = std::filesystem::temp_directory_path() / ("natctl-test-" + test::fresh_address().text());
    const auto path = folder / "run" / "natctl-tunnel.ready";
    {
        std::filesystem::create_directories(path.parent_path());
        // Another one lives.
        std::ofstream(path) << "1\n";
        { const ReadyFile second(path); }
        CHECK(std::filesystem::exists(path));
        // Nobody has this number.
        std::ofstream(path) << "2000000000\n";
        ReadyFile ready(path);
        CHECK(!std::filesystem::exists(path));
        ready.publish();
        std::ifstream file(path);
        int process = 0;
        file >> process;
        CHECK(process == ::getpid());
        CHECK(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}) == 1);
    }
    CHECK(!std::filesystem::exists(path));
    std::filesystem::remove_all(folder);
}
