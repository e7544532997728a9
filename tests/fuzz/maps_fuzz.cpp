// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "nftctl/site/maps_reader.h"

namespace {

using namespace natctl;

struct Read {
    std::vector<Map> maps;
    std::vector<Diagnostic> found;
};

Read read_maps(std::string_view text, std::size_t piece) {
    Read result;
    Diagnostics diagnostics;
    MapsReader reader(result.maps, 1, diagnostics);
    for (std::size_t i = 0; i < text.size(); i += piece) reader.feed(text.substr(i, piece));
    reader.finish();
    result.found = diagnostics.take();
    return result;
}

} // namespace

// Any text is read without a crash, whatever the pieces (the first byte is their size), and every finding has a place
// and safe text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = read_maps(text, text.size() + 1);
    const auto split = read_maps(text, data[0] + std::size_t{1});
    if (whole.maps.size() != split.maps.size() || whole.found.size() != split.found.size()) std::abort();
    for (const auto& map : whole.maps)
        if (map.virtual_prefix.length() != map.real_prefix.length() ||
            map.virtual_prefix.family() != map.real_prefix.family() || map.at.line == 0 || map.real_at.column == 0)
            std::abort();
    for (const auto& found : whole.found)
        if (found.at.line == 0 || found.at.column == 0 || found.message.empty()) std::abort();
    for (const char c : render(whole.found, "hosts.map", text))
        if ((c >= 0 && c < ' ' && c != '\n') || c == 0x7f) std::abort();
    return 0;
}
