// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/nftables.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <numeric>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/batch.h"
#include "nftctl/kernel/chain_codec.h"
#include "nftctl/kernel/refusal.h"

namespace natctl::nft {

namespace {

const std::string our_table = std::string("table inet ") + table_name;

netlink::Message make_request(int type, std::uint8_t family) {
    netlink::Message message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), 0);
    auto* const header = message.put_extra<nfgenmsg>();
    header->nfgen_family = family;
    header->version = NFNETLINK_V0;
    return message;
}

/// Changes while we read: each takes microseconds, so a few repetitions meet a pause.
constexpr int most_attempts = 20;

void refuse(const netlink::Answer& answer) {
    if (answer.error == 0) return;
    throw SystemError("read", our_table, answer.error, answer.error == EPERM ? "run it as root" : answer.text);
}

std::string chain_of_rule(const nlmsghdr& message) {
    std::string name;
    netlink::each_attribute(message, sizeof(nfgenmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == NFTA_RULE_CHAIN) name = mnl_attr_get_str(&attribute);
    });
    return name;
}

/// Answers that came although their request was given up, do not count.
bool belongs(const netlink::Answer& answer, const Batch& batch) {
    return answer.sequence - batch.first_sequence() < batch.size();
}

} // namespace

Nftables::Nftables() : socket_(NETLINK_NETFILTER) {}

std::uint32_t Nftables::generation() { return ask_generation(NFTA_GEN_ID); }

std::uint32_t Nftables::own_process() { return ask_generation(NFTA_GEN_PROC_PID); }

std::uint32_t Nftables::ask_generation(std::uint16_t wanted) {
    netlink::Message message = make_request(NFT_MSG_GETGEN, NFPROTO_UNSPEC);
    std::uint32_t value = 0;
    const netlink::Answer answer = socket_.request(message, [&](const nlmsghdr& reply) {
        netlink::each_attribute(reply, sizeof(nfgenmsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == wanted) value = ntohl(mnl_attr_get_u32(&attribute));
        });
    });
    if (answer.error != 0)
        throw SystemError("read", "generation of nf_tables", answer.error,
                          answer.error == EPERM    ? "run it as root"
                          : answer.error == EINVAL ? "the kernel lacks nf_tables (CONFIG_NF_TABLES): modprobe nf_tables"
                                                   : "");
    return value;
}

Nftables::State Nftables::read() {
    // A change between two dumps shows in the generation, one within a dump interrupts it.
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        State state{.table = {}, .generation = generation()};
        if (read_table(state.table) && generation() == state.generation) return state;
    }
    throw SystemError("read", our_table, EAGAIN, "somebody changes the tables without a pause");
}

std::optional<Nftables::Status> Nftables::read_status() {
    Status status;
    netlink::Message message = make_request(NFT_MSG_GETTABLE, NFPROTO_INET);
    mnl_attr_put_strz(message.header(), NFTA_TABLE_NAME, table_name);
    const netlink::Answer answer = socket_.request(message, [&](const nlmsghdr& reply) {
        netlink::each_attribute(reply, sizeof(nfgenmsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == NFTA_TABLE_FLAGS) status.flags = ntohl(mnl_attr_get_u32(&attribute));
            if (mnl_attr_get_type(&attribute) == NFTA_TABLE_OWNER) status.owner = ntohl(mnl_attr_get_u32(&attribute));
        });
    });
    if (answer.error == ENOENT) return std::nullopt;
    refuse(answer);
    return status;
}

bool Nftables::exists() { return read_status().has_value(); }

bool Nftables::owns() { return read_status().value_or(Status{}).owner == socket_.port(); }

bool Nftables::is_anothers() {
    const auto owner = read_status().value_or(Status{}).owner;
    return owner != 0 && owner != socket_.port();
}

bool Nftables::take_over(std::uint32_t generation) {
    const auto status = read_status().value_or(Status{});
    if (status.owner != 0 || (status.flags & table_persists) == 0) return false;
    const Change ours = AddTable{.ownable = true};
    return commit(std::span(&ours, 1), generation) == CommitResult::done;
}

bool Nftables::read_table(std::optional<Table>& result) {
    const auto status = read_status();
    if (!status) return true;
    Table& table = result.emplace();
    table.ownable = (status->flags & table_persists) != 0;
    if (!read_sets(table) || !read_helpers(table) || !read_chains(table) || !read_rules(table)) return false;
    // A table that sleeps hooks nothing, whatever its chains say.
    if ((status->flags & NFT_TABLE_F_DORMANT) != 0)
        for (Chain& chain : table.chains.edit()) chain.hook.reset();
    return true;
}

bool Nftables::dump(netlink::Message message, const netlink::Socket::Each& each) {
    const netlink::Answer answer = socket_.dump(message, each);
    // What was there when the dump began is gone: as good as interrupted.
    if (answer.interrupted || answer.error == ENOENT) return false;
    refuse(answer);
    return true;
}

bool Nftables::read_sets(Table& table) {
    netlink::Message message = make_request(NFT_MSG_GETSET, NFPROTO_INET);
    mnl_attr_put_strz(message.header(), NFTA_SET_TABLE, table_name);
    const bool complete = dump(message, [&](const nlmsghdr& reply) {
        const NftnlSetPtr set(allocated(nftnl_set_alloc()));
        if (nftnl_set_nlmsg_parse(&reply, set.get()) < 0) throw SystemError("parse", "set of " + our_table, EBADMSG);
        table.sets.push_back({from_nftnl(*set), {}});
    });
    // Of a set that is none of ours its presence says enough.
    return complete &&
           std::ranges::all_of(table.sets, [this](Set& set) { return set.spec.key.empty() || read_elements(set); });
}

bool Nftables::read_elements(Set& set) {
    netlink::Message message = make_request(NFT_MSG_GETSETELEM, NFPROTO_INET);
    mnl_attr_put_strz(message.header(), NFTA_SET_ELEM_LIST_TABLE, table_name);
    mnl_attr_put_strz(message.header(), NFTA_SET_ELEM_LIST_SET, set.spec.name.c_str());
    ElementReader reader(set.spec);
    const bool complete = dump(message, [&](const nlmsghdr& reply) {
        const NftnlSetPtr elements(allocated(nftnl_set_alloc()));
        if (nftnl_set_elems_nlmsg_parse(&reply, elements.get()) < 0)
            throw SystemError("parse", "elements of set " + set.spec.name + " of " + our_table, EBADMSG);
        reader.take(*elements);
    });
    if (complete) {
        set.elements = reader.finish();
        set.lifetimes = reader.lifetimes();
    }
    return complete;
}

bool Nftables::read_helpers(Table& table) {
    netlink::Message message = make_request(NFT_MSG_GETOBJ, NFPROTO_INET);
    mnl_attr_put_strz(message.header(), NFTA_OBJ_TABLE, table_name);
    return dump(message, [&](const nlmsghdr& reply) {
        const NftnlObjPtr object(allocated(nftnl_obj_alloc()));
        if (nftnl_obj_nlmsg_parse(&reply, object.get()) < 0) throw SystemError("parse", "object", EBADMSG);
        // What is none of ours makes the table another one.
        table.helpers.push_back(from_nftnl(*object).value_or(HelperObject{"unknown", "", 0}));
    });
}

bool Nftables::read_chains(Table& table) {
    return dump(make_request(NFT_MSG_GETCHAIN, NFPROTO_INET), [&](const nlmsghdr& reply) {
        const NftnlChainPtr chain(allocated(nftnl_chain_alloc()));
        if (nftnl_chain_nlmsg_parse(&reply, chain.get()) < 0) throw SystemError("parse", "chain", EBADMSG);
        if (nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE) == std::string_view(table_name))
            table.chains.edit().push_back(from_nftnl(*chain));
    });
}

bool Nftables::read_rules(Table& table) {
    netlink::Message message = make_request(NFT_MSG_GETRULE, NFPROTO_INET);
    mnl_attr_put_strz(message.header(), NFTA_RULE_TABLE, table_name);
    std::map<std::string, Chain*, std::less<>> chains;
    for (auto& chain : table.chains.edit()) chains.emplace(chain.name, &chain);
    return dump(message, [&](const nlmsghdr& reply) {
        const auto chain = chains.find(chain_of_rule(reply));
        if (chain == chains.end()) return;
        const NftnlRulePtr rule(allocated(nftnl_rule_alloc()));
        // libnftnl gives up on a rule with an expression that it does not know.
        const bool parsed = nftnl_rule_nlmsg_parse(&reply, rule.get()) >= 0;
        chain->second->rules.push_back(parsed ? from_nftnl(*rule) : Rule{{Unknown{"rule"}}});
    });
}

CommitResult Nftables::commit(std::span<const Change> changes, std::uint32_t generation) {
    if (changes.empty()) return CommitResult::done;
    const Batch batch(changes, generation, socket_.next_sequence());
    socket_.skip_sequence(batch.size());
    std::vector<iovec> parts = batch.parts();
    const std::size_t bytes = std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                                              [](std::size_t sum, const iovec& part) { return sum + part.iov_len; });
    const std::vector<netlink::Answer> answers = socket_.transact(parts, bytes);

    const auto refusal_of = [&](const netlink::Answer& answer) {
        if (answer.error == EPERM && is_anothers())
            return SystemError(
                "change", our_table, answer.error,
                "natctl-agent owns it (own_table in site.toml) and alone may change it: have that one do it, "
                "by its --run-dir and --state-dir, or stop it");
        if (const auto index = batch.change_of(answer.sequence)) return refusal(changes[*index], answer);
        return SystemError("change", our_table, answer.error, answer.error == EPERM ? "run it as root" : answer.text);
    };
    bool acknowledged = false;
    for (const netlink::Answer& answer : answers) {
        if (!belongs(answer, batch)) continue;
        if (answer.error == ERESTART) return CommitResult::stale;
        if (answer.error == 0) {
            acknowledged = acknowledged || answer.sequence == batch.last_change_sequence();
            continue;
        }
        throw refusal_of(answer);
    }
    if (acknowledged) return CommitResult::done;
    // The answer was lost, and with it whether the batch was refused. Where nothing changed at all, it was.
    const bool unchanged = generation != 0 && this->generation() == generation;
    throw SystemError("change", our_table, ENOBUFS,
                      unchanged ? "nothing was changed" : "it may have been changed nevertheless: read it again");
}

std::vector<int> Nftables::try_out(std::span<const Change> changes) {
    std::vector<int> errors(changes.size());
    if (changes.empty()) return errors;
    const Batch batch(changes, 0, socket_.next_sequence(), BatchEnd::give_up);
    socket_.skip_sequence(batch.size());
    std::vector<iovec> parts = batch.parts();
    const std::size_t bytes = std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                                              [](std::size_t sum, const iovec& part) { return sum + part.iov_len; });
    for (const netlink::Answer& answer : socket_.transact(parts, bytes)) {
        if (!belongs(answer, batch) || answer.error == 0) continue;
        const auto index = batch.change_of(answer.sequence);
        if (!index)
            throw SystemError("try out changes to", our_table, answer.error,
                              answer.error == EPERM ? "run it as root" : answer.text);
        errors[*index] = answer.error;
    }
    return errors;
}

} // namespace natctl::nft
