// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/chain_codec.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nftctl/kernel/lower.h"

namespace natctl::nft {

namespace {

const char* name_of(ChainType type) {
    switch (type) {
    case ChainType::filter: return "filter";
    case ChainType::nat: return "nat";
    case ChainType::route: return "route";
    }
    assert(false);
    return "";
}

std::optional<ChainType> type_named(std::string_view name) {
    for (const ChainType type : {ChainType::filter, ChainType::nat, ChainType::route})
        if (name == name_of(type)) return type;
    return std::nullopt;
}

// Indexed by HookPoint.
constexpr std::array<std::uint32_t, 5> hook_numbers{NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_FORWARD,
                                                    NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING};

} // namespace

NftnlChainPtr to_nftnl(const std::string& name, const std::optional<Hook>& hook) {
    NftnlChainPtr chain(allocated(nftnl_chain_alloc()));
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_FAMILY, NFPROTO_INET);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table_name);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name.c_str());
    if (!hook) return chain;
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, name_of(hook->type));
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook_numbers.at(static_cast<std::size_t>(hook->point)));
    nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, hook->priority);
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
    return chain;
}

Chain from_nftnl(const nftnl_chain& chain) {
    Chain result{.name = nftnl_chain_get_str(&chain, NFTNL_CHAIN_NAME), .hook = {}, .rules = {}};
    if (!nftnl_chain_is_set(&chain, NFTNL_CHAIN_HOOKNUM)) return result;
    const auto type = type_named(nftnl_chain_get_str(&chain, NFTNL_CHAIN_TYPE));
    const auto* const number = std::ranges::find(hook_numbers, nftnl_chain_get_u32(&chain, NFTNL_CHAIN_HOOKNUM));
    const bool accepts = nftnl_chain_get_u32(&chain, NFTNL_CHAIN_POLICY) == NF_ACCEPT;
    if (type && number != hook_numbers.end() && accepts)
        result.hook = Hook{*type, static_cast<HookPoint>(number - hook_numbers.begin()),
                           nftnl_chain_get_s32(&chain, NFTNL_CHAIN_PRIO)};
    else
        result.rules.push_back({{Unknown{accepts ? "hook" : "policy drop"}}});
    return result;
}

NftnlObjPtr to_nftnl(const HelperObject& helper) {
    NftnlObjPtr object(allocated(nftnl_obj_alloc()));
    nftnl_obj_set_u32(object.get(), NFTNL_OBJ_FAMILY, NFPROTO_INET);
    nftnl_obj_set_str(object.get(), NFTNL_OBJ_TABLE, table_name);
    nftnl_obj_set_str(object.get(), NFTNL_OBJ_NAME, helper.name.c_str());
    nftnl_obj_set_u32(object.get(), NFTNL_OBJ_TYPE, NFT_OBJECT_CT_HELPER);
    nftnl_obj_set_str(object.get(), NFTNL_OBJ_CT_HELPER_NAME, helper.helper.c_str());
    nftnl_obj_set_u16(object.get(), NFTNL_OBJ_CT_HELPER_L3PROTO, NFPROTO_INET);
    nftnl_obj_set_u8(object.get(), NFTNL_OBJ_CT_HELPER_L4PROTO, helper.protocol);
    return object;
}

std::optional<HelperObject> from_nftnl(const nftnl_obj& object) {
    auto* const handle = const_cast<nftnl_obj*>(&object);
    if (nftnl_obj_get_u32(handle, NFTNL_OBJ_TYPE) != NFT_OBJECT_CT_HELPER ||
        nftnl_obj_get_u16(handle, NFTNL_OBJ_CT_HELPER_L3PROTO) != NFPROTO_INET)
        return std::nullopt;
    return HelperObject{nftnl_obj_get_str(handle, NFTNL_OBJ_NAME), nftnl_obj_get_str(handle, NFTNL_OBJ_CT_HELPER_NAME),
                        nftnl_obj_get_u8(handle, NFTNL_OBJ_CT_HELPER_L4PROTO)};
}

NftnlRulePtr to_nftnl(const std::string& chain, const Rule* rule) {
    NftnlRulePtr result(allocated(nftnl_rule_alloc()));
    nftnl_rule_set_u32(result.get(), NFTNL_RULE_FAMILY, NFPROTO_INET);
    nftnl_rule_set_str(result.get(), NFTNL_RULE_TABLE, table_name);
    nftnl_rule_set_str(result.get(), NFTNL_RULE_CHAIN, chain.c_str());
    if (rule == nullptr) return result;
    for (const Expression& expression : lower(*rule)) nftnl_rule_add_expr(result.get(), to_nftnl(expression).release());
    return result;
}

Rule from_nftnl(const nftnl_rule& rule) {
    const NftnlExprIterPtr iterator(allocated(nftnl_expr_iter_create(&rule)));
    std::vector<Expression> expressions;
    while (const nftnl_expr* expression = nftnl_expr_iter_next(iterator.get()))
        expressions.push_back(from_nftnl(*expression));
    return raise(expressions);
}

} // namespace natctl::nft
