// SPDX-License-Identifier: GPL-3.0-or-later
#include <limits>

#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey intercept_keys[] = {
    {"from", "the name of a LAN or a list of them", R"(from = ["lan0"])"},
    {"to", "a prefix or a list of prefixes", R"(to = ["0.0.0.0/0", "::/0"])"},
    {"protocols", "the name of a protocol or a list of them", R"(protocols = ["tcp", "udp"])"},
    {"by", "text", R"(by = "tproxy" or by = "redirect")"},
    {"local", "a boolean", "local = true"},
    {"proxy", "a proxy", R"(proxy = { socks5 = "127.0.0.1:1080" })"},
    {"except_marks", "a mark or a list of marks", R"(except_marks = [255, "0x100/0xff00"])"},
    {"except_users", "a user or a list of users", R"(except_users = ["xray"])"},
    {"except_cgroups", "a control group or a list of them", R"(except_cgroups = ["system.slice/xray.service"])"},
};

void read_protocols(const TableReader& reader, Intercept& intercept, Diagnostics& diagnostics) {
    if (!reader.has("protocols")) {
        intercept.udp = intercept.by == InterceptBy::tproxy;
        return;
    }
    intercept.tcp = false;
    intercept.udp = false;
    for (const auto& [text, at] : reader.texts("protocols")) {
        if (text != "tcp" && text != "udp") {
            diagnostics.error(at, fmt::format("{} cannot be intercepted", quote(text)),
                              R"(write protocols = ["tcp", "udp"] or one of the two)");
            continue;
        }
        if (text == "udp" && intercept.by == InterceptBy::redirect)
            diagnostics.error(at, "redirect carries no UDP: the original destination would be lost",
                              R"(write by = "tproxy", or protocols = "tcp")");
        auto& wanted = text == "tcp" ? intercept.tcp : intercept.udp;
        if (wanted) diagnostics.error(at, fmt::format("protocol {} is named twice", text), "name it once");
        wanted = true;
    }
}

void read_way(const TableReader& reader, Intercept& intercept, Diagnostics& diagnostics) {
    const auto by = reader.text("by");
    if (!by) return;
    if (by->text == "redirect")
        intercept.by = InterceptBy::redirect;
    else if (by->text != "tproxy")
        diagnostics.error(by->at, fmt::format("{} is no way to intercept", quote(by->text)),
                          R"(write "tproxy", or "redirect" for kernels without TPROXY)");
}

/// The elements of a list, or a value alone.
std::vector<const toml::node*> elements(const TableReader& reader, std::string_view name) {
    const auto* node = reader.find(name);
    if (node == nullptr) return {};
    const auto* array = node->as_array();
    if (array == nullptr) return {node};
    std::vector<const toml::node*> nodes;
    for (const auto& element : *array) nodes.push_back(&element);
    return nodes;
}

void read_marks(const TableReader& reader, Intercept& intercept, Diagnostics& diagnostics) {
    for (const auto* node : elements(reader, "except_marks")) {
        const auto at = begin_of(node->source());
        std::optional<Mark> mark;
        if (const auto* text = node->as_string()) {
            mark = read_mark(text->get(), at, diagnostics);
        } else if (const auto* number = node->as_integer()) {
            if (number->get() > 0 && number->get() <= std::numeric_limits<std::uint32_t>::max())
                mark = Mark{static_cast<std::uint32_t>(number->get()), 0xffffffff};
            else
                diagnostics.error(at, fmt::format("{} is no mark that a packet could be told by", number->get()),
                                  "write a number from 1 to 0xffffffff");
        } else {
            reader.report_type("except_marks", *node);
        }
        if (!mark) continue;
        intercept.except_marks.push_back(*mark);
        intercept.mark_at.push_back(at);
    }
}

void read_users(const TableReader& reader, Intercept& intercept, Diagnostics& diagnostics) {
    for (const auto* node : elements(reader, "except_users")) {
        const auto at = begin_of(node->source());
        std::string user;
        if (const auto* text = node->as_string())
            user = text->get();
        else if (const auto* number = node->as_integer())
            user = std::to_string(number->get());
        else
            reader.report_type("except_users", *node);
        const bool typed = node->is_string() || node->is_integer();
        if (!typed || !read_system_user(user, at, diagnostics)) continue;
        intercept.except_users.push_back(std::move(user));
        intercept.user_at.push_back(at);
    }
}

} // namespace

std::optional<Intercept> parse_intercept(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "[intercept]", intercept_keys, diagnostics);
    Intercept intercept{.at = reader.at()};
    for (const auto& [text, at] : reader.texts("from")) {
        if (!read_interface(text, at, diagnostics)) continue;
        intercept.from.emplace_back(text);
        intercept.from_at.push_back(at);
    }
    read_prefixes(reader.texts("to"), intercept.to, intercept.to_at, diagnostics);
    read_way(reader, intercept, diagnostics);
    read_protocols(reader, intercept, diagnostics);
    intercept.local = reader.boolean("local").value_or(false);
    reader.require("proxy");
    if (const auto* proxy = reader.table("proxy"))
        if (auto parsed = parse_proxy(*proxy, diagnostics)) intercept.proxy = std::move(*parsed);
    read_marks(reader, intercept, diagnostics);
    read_users(reader, intercept, diagnostics);
    for (const auto& [text, at] : reader.texts("except_cgroups", true)) {
        if (!read_cgroup(text, at, diagnostics)) continue;
        intercept.except_cgroups.emplace_back(text);
        intercept.cgroup_at.push_back(at);
    }
    if (diagnostics.errors() != errors) return std::nullopt;
    return intercept;
}

} // namespace natctl
