// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/verdict_data.h"

#include <cassert>

namespace natctl::nft {

std::vector<std::uint8_t> verdict_data(const Verdict& verdict) {
    assert(verdict.chain.size() < 255);
    std::vector<std::uint8_t> data{static_cast<std::uint8_t>(verdict.kind)};
    data.insert(data.end(), verdict.chain.begin(), verdict.chain.end());
    return data;
}

std::optional<Verdict> verdict_of(BytesView data) {
    const auto bytes = data.span();
    if (bytes.empty() || bytes.front() > static_cast<std::uint8_t>(VerdictKind::goto_)) return std::nullopt;
    return Verdict{static_cast<VerdictKind>(bytes.front()), {bytes.begin() + 1, bytes.end()}};
}

} // namespace natctl::nft
