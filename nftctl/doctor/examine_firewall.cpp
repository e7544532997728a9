// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftctl/doctor/examine.h"
#include "nftctl/doctor/look.h"
#include "nftctl/doctor/read_rule.h"
#include "nftctl/kernel/nftnl_ptr.h"

namespace natctl::doctor {

namespace {

using namespace firewall;

std::optional<TableFamily> family_of(std::uint32_t number) {
    switch (number) {
    case NFPROTO_IPV4: return TableFamily::ip;
    case NFPROTO_IPV6: return TableFamily::ip6;
    case NFPROTO_INET: return TableFamily::inet;
    // Bridges, ARP and devices: not where packets between sites are decided on.
    default: return std::nullopt;
    }
}

std::uint8_t number_of(TableFamily family) {
    switch (family) {
    case TableFamily::ip: return NFPROTO_IPV4;
    case TableFamily::ip6: return NFPROTO_IPV6;
    case TableFamily::inet: break;
    }
    return NFPROTO_INET;
}

std::optional<nft::Hook> hook_of(const nftnl_chain& chain) {
    if (!nftnl_chain_is_set(&chain, NFTNL_CHAIN_HOOKNUM)) return std::nullopt;
    // Indexed by NF_INET_*, which has their order.
    constexpr std::array points{nft::HookPoint::prerouting, nft::HookPoint::input, nft::HookPoint::forward,
                                nft::HookPoint::output, nft::HookPoint::postrouting};
    const std::uint32_t number = nftnl_chain_get_u32(&chain, NFTNL_CHAIN_HOOKNUM);
    if (number >= points.size()) return std::nullopt;
    const std::string_view type = nftnl_chain_get_str(&chain, NFTNL_CHAIN_TYPE);
    return nft::Hook{type == "nat"     ? nft::ChainType::nat
                     : type == "route" ? nft::ChainType::route
                                       : nft::ChainType::filter,
                     points.at(number), nftnl_chain_get_s32(&chain, NFTNL_CHAIN_PRIO)};
}

/// Tables of others, in full. Where somebody changes them meanwhile it may be a mixture: this is for advice.
class Reader {
public:
    Reader() : socket_(NETLINK_NETFILTER) {}

    std::vector<Table> read() {
        read_tables();
        for (Table& table : tables_) {
            read_chains(table);
            read_rules(table);
            read_sets(table);
        }
        return std::move(tables_);
    }

private:
    void dump(int type, TableFamily family, const std::function<void(nlmsghdr*)>& put,
              const netlink::Socket::Each& each) {
        doctor::dump<nfgenmsg>(
            socket_, static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), "tables of other firewalls",
            [&](netlink::Message& message, nfgenmsg& header) {
                header.nfgen_family = type == NFT_MSG_GETTABLE ? std::uint8_t{NFPROTO_UNSPEC} : number_of(family);
                header.version = NFNETLINK_V0;
                if (put) put(message.header());
            },
            [] {}, each);
    }

    void read_tables() {
        dump(NFT_MSG_GETTABLE, TableFamily::inet, {}, [&](const nlmsghdr& reply) {
            const NftnlTablePtr table(allocated(nftnl_table_alloc()));
            if (nftnl_table_nlmsg_parse(&reply, table.get()) < 0) return;
            const auto family = family_of(nftnl_table_get_u32(table.get(), NFTNL_TABLE_FAMILY));
            const std::string name = nftnl_table_get_str(table.get(), NFTNL_TABLE_NAME);
            const bool sleeps = (nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) != 0;
            const bool ours = family == TableFamily::inet && name == nft::table_name;
            if (family && !sleeps && !ours) tables_.push_back({.family = *family, .name = name});
        });
    }

    void read_chains(Table& table) {
        table.chains.clear();
        dump(NFT_MSG_GETCHAIN, table.family, {}, [&](const nlmsghdr& reply) {
            const NftnlChainPtr chain(allocated(nftnl_chain_alloc()));
            if (nftnl_chain_nlmsg_parse(&reply, chain.get()) < 0) return;
            if (nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE) != table.name) return;
            table.chains.push_back(
                {.name = nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME),
                 .hook = hook_of(*chain),
                 .drops_by_policy = nftnl_chain_is_set(chain.get(), NFTNL_CHAIN_POLICY) &&
                                    nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_POLICY) == NF_DROP});
        });
    }

    void read_rules(Table& table) {
        const auto name_table = [&](nlmsghdr* request) {
            mnl_attr_put_strz(request, NFTA_RULE_TABLE, table.name.c_str());
        };
        dump(NFT_MSG_GETRULE, table.family, name_table, [&](const nlmsghdr& reply) {
            const NftnlRulePtr rule(allocated(nftnl_rule_alloc()));
            // libnftnl gives up at an expression that it does not know, after what it could read.
            const bool parsed = nftnl_rule_nlmsg_parse(&reply, rule.get()) >= 0;
            if (!nftnl_rule_is_set(rule.get(), NFTNL_RULE_CHAIN)) return;
            const auto chain = std::ranges::find(
                table.chains, std::string(nftnl_rule_get_str(rule.get(), NFTNL_RULE_CHAIN)), &Chain::name);
            if (chain == table.chains.end()) return;
            Rule read = parsed ? read_rule(*rule) : Rule{.expressions = {Unknown{"expression"}}};
            read.handle = nftnl_rule_get_u64(rule.get(), NFTNL_RULE_HANDLE);
            chain->rules.push_back(std::move(read));
        });
    }

    void read_sets(Table& table) {
        const auto name_table = [&](nlmsghdr* request) {
            mnl_attr_put_strz(request, NFTA_SET_TABLE, table.name.c_str());
        };
        std::vector<Set> sets;
        dump(NFT_MSG_GETSET, table.family, name_table, [&](const nlmsghdr& reply) {
            const NftnlSetPtr set(allocated(nftnl_set_alloc()));
            if (nftnl_set_nlmsg_parse(&reply, set.get()) < 0) return;
            const std::uint32_t flags = nftnl_set_get_u32(set.get(), NFTNL_SET_FLAGS);
            sets.push_back({.name = nftnl_set_get_str(set.get(), NFTNL_SET_NAME),
                            .interval = (flags & NFT_SET_INTERVAL) != 0,
                            .known = (flags & NFT_SET_CONCAT) == 0});
        });
        for (Set& set : sets)
            if (set.known) read_elements(table, set);
        table.sets = std::move(sets);
    }

    void read_elements(const Table& table, Set& set) {
        const auto name_set = [&](nlmsghdr* request) {
            mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_TABLE, table.name.c_str());
            mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set.name.c_str());
        };
        ElementReader reader(set.interval);
        dump(NFT_MSG_GETSETELEM, table.family, name_set, [&](const nlmsghdr& reply) {
            const NftnlSetPtr elements(allocated(nftnl_set_alloc()));
            if (nftnl_set_elems_nlmsg_parse(&reply, elements.get()) < 0) {
                set.known = false;
                return;
            }
            reader.take(*elements);
        });
        set.elements = reader.finish();
    }

    netlink::Socket socket_;
    std::vector<Table> tables_;
};

} // namespace

std::vector<firewall::Table> read_foreign_tables() { return Reader().read(); }

} // namespace natctl::doctor
