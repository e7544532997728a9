// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nftctl/site/parse.h"

// Any text is parsed without a crash; a failure has an error, and every finding a place and safe text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace natctl;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto result = parse_site(text);
    bool has_error = false;
    for (const auto& diagnostic : result.diagnostics) {
        has_error = has_error || diagnostic.severity == Severity::error;
        if (diagnostic.at.line == 0 || diagnostic.at.column == 0 || diagnostic.message.empty()) std::abort();
        if (diagnostic.remedy.empty() && diagnostic.severity != Severity::note) std::abort();
    }
    if (has_error == result.site.has_value()) std::abort();
    for (const char c : render(result.diagnostics, "site.toml", text))
        if ((c >= 0 && c < ' ' && c != '\n') || c == 0x7f) std::abort();
    if (flatten(result.diagnostics, "site.toml", text).size() != result.diagnostics.size()) std::abort();
    return 0;
}
