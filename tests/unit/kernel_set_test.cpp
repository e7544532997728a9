// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftctl/kernel/batch.h"
#include "nftctl/kernel/netlink.h"
#include "nftctl/kernel/set_codec.h"
#include "nftctl/plan/verdict_data.h"
#include "tests/unit/kernel_sample.h"

using namespace natctl;
using namespace natctl::nft;
using natctl::test::range;

namespace {

std::vector<Element> through_handle(const SetSpec& spec, const std::vector<Element>& elements) {
    const NftnlSetPtr handle(allocated(nftnl_set_alloc()));
    for (const Element& element : elements) append(*handle, spec, element, ElementUse::add);
    ElementReader reader(spec);
    reader.take(*handle);
    return reader.finish();
}

std::size_t count_elements(const SetSpec& spec, const std::vector<Element>& elements) {
    const NftnlSetPtr handle(allocated(nftnl_set_alloc()));
    for (const Element& element : elements) append(*handle, spec, element, ElementUse::add);
    const NftnlSetElemsIterPtr iterator(allocated(nftnl_set_elems_iter_create(handle.get())));
    std::size_t count = 0;
    while (nftnl_set_elems_iter_next(iterator.get()) != nullptr) ++count;
    return count;
}

const SetSpec own4{.name = "own4", .key = {Datatype::ipv4_addr}, .interval = true};

} // namespace

TEST_CASE("every set of the sample comes back") {
    for (const Set& set : test::sample_table().sets) {
        CHECK_MESSAGE(from_nftnl(*to_nftnl(set.spec)) == set.spec, set.spec.name);
        CHECK_MESSAGE(through_handle(set.spec, set.elements.all()) == set.elements.all(), set.spec.name);
    }
}

TEST_CASE("sets that ours cannot be have no key") {
    const auto foreign = [](std::uint16_t attribute, std::uint32_t value) {
        const NftnlSetPtr set = to_nftnl(own4);
        nftnl_set_set_u32(set.get(), attribute, value);
        return from_nftnl(*set).key.empty();
    };
    CHECK(!foreign(NFTNL_SET_FLAGS, NFT_SET_INTERVAL));
    CHECK(foreign(NFTNL_SET_FLAGS, NFT_SET_INTERVAL | NFT_SET_EVAL));
    CHECK(foreign(NFTNL_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT));
    CHECK(foreign(NFTNL_SET_KEY_TYPE, 13));
    CHECK(foreign(NFTNL_SET_KEY_LEN, 8));

    // A lifetime for whatever is added.
    const NftnlSetPtr fleeting = to_nftnl(own4);
    nftnl_set_set_u64(fleeting.get(), NFTNL_SET_TIMEOUT, 1000);
    CHECK(from_nftnl(*fleeting).key.empty());
}

TEST_CASE("intervals have an end element, but at the top of the address space") {
    CHECK(count_elements(own4, {range("10.0.0.0", "10.0.0.255")}) == 2);
    CHECK(count_elements(own4, {range("224.0.0.0", "255.255.255.255")}) == 1);
    for (const auto& element : {range("0.0.0.0", "255.255.255.255"), range("10.255.255.255", "10.255.255.255")})
        CHECK(through_handle(own4, {element}) == std::vector{element});
}

TEST_CASE("neighbouring intervals are told apart in whatever order they come") {
    const std::vector elements{range("10.0.0.0", "10.0.0.127"), range("10.0.0.128", "10.0.0.255"),
                               range("10.0.1.0", "10.0.1.0")};
    CHECK(through_handle(own4, {elements[2], elements[1], elements[0]}) == elements);
}

TEST_CASE("a message never grows beyond what an attribute can hold") {
    std::vector<SetSpec> specs;
    for (const Set& set : test::sample_table().sets) specs.push_back(set.spec);
    specs.push_back({.name = "timed", .key = {Datatype::ipv6_addr}, .interval = true, .timeout = true});
    specs.push_back({.name = "largest",
                     .key = {Datatype::ifname, Datatype::ipv6_addr},
                     .data = Datatype::ipv6_addr,
                     .interval = true,
                     .data_interval = true});
    for (const SetSpec& spec : specs) {
        // The one with the most in it: no end element beside, but user data.
        std::array<std::uint8_t, Bytes::capacity> ones{};
        ones.fill(0xff);
        unsigned size = 0;
        for (const Datatype part : spec.key)
            size += spec.key.size() == 1 ? datatype_size(part) : (datatype_size(part) + 3) / 4 * 4;
        const std::span<const std::uint8_t> most = ones;
        const Bytes key(most.first(size));
        const std::size_t data_size = spec.data ? datatype_size(*spec.data) * (spec.data_interval ? 2 : 1) : 0;
        const auto verdict = verdict_data({VerdictKind::jump, std::string(254, 'x')});
        const Element element(key, key, spec.data == Datatype::verdict ? std::span(verdict) : most.first(data_size));
        const std::vector<Element> elements(3 * elements_per_message(spec), element);
        Lifetimes lifetimes;
        if (spec.timeout) lifetimes[Bytes(element.first())] = std::chrono::hours(24);
        const std::array<Change, 1> changes{AddElements{spec, elements, lifetimes}};
        const Batch batch(changes, 7, 1);
        CHECK_MESSAGE(batch.size() == 5, spec.name);
        for (const iovec& part : batch.parts()) {
            int left = static_cast<int>(part.iov_len);
            for (const auto* message = static_cast<const nlmsghdr*>(part.iov_base); mnl_nlmsg_ok(message, left);
                 message = mnl_nlmsg_next(message, &left))
                CHECK_MESSAGE(message->nlmsg_len < 0xffff, spec.name);
            CHECK(left == 0);
        }
    }
}

TEST_CASE("a batch knows which change each of its messages is") {
    const std::vector<Element> many(3 * elements_per_message(own4), range("10.0.0.0", "10.0.0.255"));
    const std::array<Change, 3> changes{AddTable{}, AddElements{own4, many}, AddChain{"pre", {}}};
    const Batch batch(changes, 7, 100);
    CHECK(batch.size() == 7);
    CHECK(!batch.change_of(100));
    CHECK(batch.change_of(101) == 0U);
    for (const std::uint32_t sequence : {102U, 103U, 104U}) CHECK(batch.change_of(sequence) == 1U);
    CHECK(batch.change_of(105) == 2U);
    CHECK(batch.last_change_sequence() == 105);
    CHECK(!batch.change_of(106));
    CHECK(!batch.change_of(99));
}

TEST_CASE("only the last change of a batch asks for an answer, and the batch names its generation") {
    const std::array<Change, 3> changes{AddTable{}, AddSet{own4}, AddChain{"pre", {}}};
    const Batch batch(changes, 0x01020304, 1);
    std::vector<bool> acks;
    const auto parts = batch.parts();
    REQUIRE(parts.size() == 1);
    int left = static_cast<int>(parts.front().iov_len);
    for (const auto* message = static_cast<const nlmsghdr*>(parts.front().iov_base); mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left))
        acks.push_back((message->nlmsg_flags & NLM_F_ACK) != 0);
    CHECK(acks == std::vector{false, false, false, true, false});
    const auto* const begin = static_cast<const nlmsghdr*>(parts.front().iov_base);
    std::uint32_t generation = 0;
    netlink::each_attribute(*begin, sizeof(nfgenmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == NFNL_BATCH_GENID) generation = ntohl(mnl_attr_get_u32(&attribute));
    });
    CHECK(generation == 0x01020304);
}

TEST_CASE("lifetimes come back, of sets that have some") {
    const SetSpec spec{.name = "white_now4", .key = {Datatype::ipv4_addr}, .interval = true, .timeout = true};
    CHECK(from_nftnl(*to_nftnl(spec)) == spec);
    const auto timed = range("10.0.0.0", "10.0.0.255");
    const auto other = range("224.0.0.0", "255.255.255.255");
    const NftnlSetPtr handle(allocated(nftnl_set_alloc()));
    append(*handle, spec, timed, ElementUse::add, std::chrono::milliseconds(1500));
    append(*handle, spec, other, ElementUse::add);
    ElementReader reader(spec);
    reader.take(*handle);
    CHECK(reader.finish() == std::vector{timed, other});
    CHECK(reader.lifetimes() == Lifetimes{{Bytes(timed.first()), std::chrono::milliseconds(1500)}});
}
