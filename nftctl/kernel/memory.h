// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nftctl/base/address.h"

namespace natctl {

/// Which table the kernel held at which generation, kept over runs of natctl in RUN_DIR/generation. It counts only in
/// the network namespace and until the restart of the machine in which it was written.
class Memory {
public:
    /// Of the calling thread's network namespace.
    explicit Memory(const std::string& run_dir);

    /// nullopt: nothing is known. A file that cannot be read is as good as none.
    struct Seen {
        std::uint32_t generation = 0;
        /// See plan/identity.h.
        Address identity;
        bool operator==(const Seen&) const = default;
    };
    std::optional<Seen> recall() const;
    /// A file that cannot be written is no harm: the table is read the next time.
    void keep(const Seen& seen);
    /// From the generation `first` to `last` nobody changed what it knows: what is known stays known. Nothing, if it
    /// was known of another generation.
    void follow(std::uint32_t first, std::uint32_t last);

private:
    std::string path_;
    std::string place_;
};

} // namespace natctl
