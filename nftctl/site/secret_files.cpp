// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/secret_files.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <variant>

#include "nftctl/base/error.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

void collect(std::vector<SecretFile>& files, std::optional<Credentials>& credentials) {
    if (credentials) files.push_back({&credentials->password_file, credentials->at});
}

/// Where in the text the position is, in bytes.
std::size_t offset_of(std::string_view text, Position at) {
    std::size_t offset = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
    for (unsigned line = 1; line < at.line && offset < text.size(); ++line) {
        const auto end = text.find('\n', offset);
        offset = end == std::string_view::npos ? text.size() : end + 1;
    }
    for (unsigned column = 1; column < at.column && offset < text.size(); ++column)
        offset += first_code_point(text.substr(offset)).length;
    return offset;
}

/// Length in bytes of the string in quotation marks at the start of `text`: site.toml has none of several lines.
std::size_t length_of_string(std::string_view text) {
    std::size_t end = 1;
    while (end < text.size() && text[end] != text[0]) end += text[0] == '"' && text[end] == '\\' ? 2u : 1u;
    return std::min(end + 1, text.size());
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto point = first_code_point(text);
        if (!point.valid) return false;
        text.remove_prefix(point.length);
    }
    return true;
}

/// As TOML has it. Paths have no control characters (read_path()).
std::string basic_string(std::string_view path) {
    std::string result = "\"";
    for (const char c : path) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

} // namespace

std::vector<SecretFile> secret_files(Site& site) {
    std::vector<SecretFile> files;
    for (auto& peer : site.peers)
        for (auto& link : peer.links)
            if (auto* socks = std::get_if<SocksLink>(&link)) collect(files, socks->credentials);
    for (auto& listener : site.tunnel.listeners) collect(files, listener.credentials);
    if (site.intercept) collect(files, site.intercept->proxy.credentials);
    for (auto& peer : site.peers)
        if (peer.xray) files.push_back({&peer.xray->id_file, peer.xray->id_at, "id"});
    if (site.xray) files.push_back({&site.xray->id_file, site.xray->id_at, "id"});
    return files;
}

std::string with_paths(std::string_view text, std::vector<PlacedPath> paths) {
    // From the end, so that the places before stay where they are.
    std::ranges::sort(paths, std::ranges::greater{}, &PlacedPath::at);
    std::string result(text);
    for (const auto& [at, path] : paths) {
        if (!is_utf8(path))
            throw SystemError("keep a copy of", "site.toml with " + escape(path), EILSEQ,
                              "the name of a file or folder is no UTF-8: move it");
        const auto begin = offset_of(result, at);
        result.replace(begin, length_of_string(std::string_view(result).substr(begin)), basic_string(path));
    }
    return result;
}

} // namespace natctl
