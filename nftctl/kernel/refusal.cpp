// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/refusal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftctl/kernel/chain_codec.h"
#include "nftctl/kernel/lower.h"

namespace natctl::nft {

namespace {

const std::string in_table = std::string(" of table inet ") + table_name;

struct What {
    std::string verb;
    std::string object;
};

struct Describe {
    What operator()(const AddTable&) const { return {"add", std::string("table inet ") + table_name}; }
    What operator()(const DeleteTable&) const { return {"delete", std::string("table inet ") + table_name}; }
    What operator()(const AddSet& change) const { return {"add", "set " + change.spec.name + in_table}; }
    What operator()(const AddHelper& change) const { return {"add", "helper " + change.helper.name + in_table}; }
    What operator()(const AddElements& change) const {
        return {"add", "elements to set " + change.set.name + in_table};
    }
    What operator()(const DeleteElements& change) const {
        return {"delete", "elements from set " + change.set.name + in_table};
    }
    What operator()(const AddChain& change) const { return {"add", "chain " + change.name + in_table}; }
    What operator()(const DeleteChain& change) const { return {"delete", "chain " + change.name + in_table}; }
    What operator()(const FlushChain& change) const { return {"flush", "chain " + change.name + in_table}; }
    What operator()(const AddRule& change) const { return {"add", "rule to chain " + change.chain + in_table}; }
};

struct Module {
    const char* expression;
    const char* name;
    const char* option;
};
// Kinds of expressions that live in modules of their own in kernel 5.13 and later. The others are in nf_tables itself.
constexpr std::array modules{
    Module{"ct", "nft_ct", "CONFIG_NFT_CT"},
    Module{"counter", "nft_counter", "CONFIG_NFT_COUNTER"},
    Module{"fib", "nft_fib_inet", "CONFIG_NFT_FIB_INET"},
    Module{"masq", "nft_masq", "CONFIG_NFT_MASQ"},
    Module{"nat", "nft_nat", "CONFIG_NFT_NAT"},
    Module{"reject", "nft_reject_inet", "CONFIG_NFT_REJECT_INET"},
    Module{"socket", "nft_socket", "CONFIG_NFT_SOCKET"},
    Module{"objref", "nft_objref", "CONFIG_NFT_OBJREF"},
    Module{"redir", "nft_redir", "CONFIG_NFT_REDIR"},
    Module{"tproxy", "nft_tproxy", "CONFIG_NFT_TPROXY"},
};

std::string lacks(const std::string& module, const std::string& option) {
    return "the kernel lacks " + module + " (" + option + "): modprobe " + module;
}

/// The expression that stands at this offset of the message that adds the rule.
std::optional<Expression> expression_at(const AddRule& change, std::uint32_t offset) {
    std::vector<char> buffer(64 << 10);
    nlmsghdr* const header = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_NEWRULE, NFPROTO_INET, 0, 0);
    nftnl_rule_nlmsg_build_payload(header, to_nftnl(change.chain, &change.rule).get());
    const std::vector<Expression> expressions = lower(change.rule);
    std::optional<Expression> found;
    netlink::each_attribute(*header, sizeof(nfgenmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) != NFTA_RULE_EXPRESSIONS) return;
        std::size_t index = 0;
        netlink::each_attribute(attribute, [&](const nlattr& item) {
            const auto start = static_cast<std::uint32_t>(reinterpret_cast<const char*>(&item) - buffer.data());
            if (offset >= start && offset < start + mnl_attr_get_len(&item)) found = expressions.at(index);
            ++index;
        });
    });
    return found;
}

std::string missing_part(const Expression& expression) {
    if (const auto* lookup = std::get_if<expression::Lookup>(&expression)) return "there is no set " + lookup->set;
    if (const auto* verdict = std::get_if<Verdict>(&expression)) return "there is no chain " + verdict->chain;
    const auto* const module = std::ranges::find(modules, name_of(expression), &Module::expression);
    return module == modules.end() ? "" : lacks(module->name, module->option);
}

struct Remedy {
    const netlink::Answer& answer;

    std::string operator()(const AddTable& change) const {
        if (answer.error == EOPNOTSUPP && change.ownable)
            return "tables that outlive their owner need Linux 6.9: take own_table out of [agent] in site.toml";
        if (answer.error == EOPNOTSUPP || answer.error == EAFNOSUPPORT)
            return "the kernel lacks tables of family inet (CONFIG_NF_TABLES_INET)";
        return {};
    }
    std::string operator()(const AddRule& change) const {
        if (answer.error != ENOENT) return {};
        const auto expression = expression_at(change, answer.offset);
        return expression ? missing_part(*expression) : "";
    }
    std::string operator()(const AddChain& change) const {
        if (answer.error == ENOENT && change.hook && change.hook->type == ChainType::nat)
            return lacks("nft_chain_nat", "CONFIG_NFT_NAT");
        return {};
    }
    std::string operator()(const AddHelper& change) const {
        if (answer.error != ENOENT) return {};
        const auto& name = change.helper.helper;
        return "the kernel lacks its helper: modprobe nf_nat_" + name + ", or take \"" + name +
               "\" out of helpers in site.toml";
    }
    std::string operator()(const AddElements& change) const {
        if (answer.error == ENFILE && change.set.size != 0)
            return "it holds at most " + std::to_string(change.set.size);
        if (answer.error == EEXIST) return "one of them overlaps with what the set holds, or has other data there";
        return {};
    }
    template <class Change>
    std::string operator()(const Change&) const {
        return {};
    }
};

constexpr const char* try_again = "somebody else changed it meanwhile: try again";
constexpr const char* too_old = "this kernel does not take it: `natctl doctor` tries out what it needs, and says which "
                                "release has it";

/// Where the change itself says no more.
std::string usual_remedy(int error) {
    switch (error) {
    case EPERM: return "run it as root";
    case ENOENT:
        return "what it builds on is not there: `natctl doctor` names what the kernel lacks; if it names "
               "nothing, " +
               std::string(try_again);
    case EEXIST:
    case EBUSY: return try_again;
    case EINVAL:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case ERANGE: return too_old;
    case ENFILE:
    case ENOSPC: return "there are more elements than the set has room for";
    case EMLINK:
    case ELOOP: return "somebody wrote a circle of jumps into the table: nft delete table inet natctl, and apply again";
    default: return "`natctl doctor` looks at what may be the cause";
    }
}

} // namespace

SystemError refusal(const Change& change, const netlink::Answer& answer) {
    const What what = std::visit(Describe{}, change);
    std::string remedy = std::visit(Remedy{answer}, change);
    if (answer.error == EPERM || remedy.empty()) remedy = usual_remedy(answer.error);
    if (!answer.text.empty()) remedy += "; the kernel says: " + answer.text;
    return {what.verb, what.object, answer.error, remedy};
}

} // namespace natctl::nft
