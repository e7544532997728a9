// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace natctl::nft {

/// A list whose copies share it until one of them is edited: what a plan has in common with the next one is made, kept
/// and compared once, however much it is. `Known` is what was found out about the list, until it is edited.
template <class T, class Known = std::monostate>
class SharedList {
public:
    SharedList() = default;
    SharedList(std::vector<T> all) : block_(std::make_shared<Block>(Block{std::move(all), {}})) {}
    SharedList(std::initializer_list<T> all) : SharedList(std::vector(all)) {}

    const std::vector<T>& all() const { return block_ ? block_->all : none(); }
    auto begin() const { return all().begin(); }
    auto end() const { return all().end(); }
    const T* data() const { return all().data(); }
    std::size_t size() const { return all().size(); }
    bool empty() const { return all().empty(); }
    const T& front() const { return all().front(); }
    const T& operator[](std::size_t place) const { return all()[place]; }

    /// To be changed before the next copy is taken; copies that were taken before keep what they have.
    std::vector<T>& edit() {
        if (block_.use_count() != 1) block_ = std::make_shared<Block>(Block{all(), {}});
        block_->known = {};
        return block_->all;
    }

    bool operator==(const SharedList& other) const { return shares(other) || all() == other.all(); }
    /// They are equal, and nothing was compared.
    bool shares(const SharedList& other) const { return block_ == other.block_; }

protected:
    /// nullptr where nothing can be kept, as the list is empty.
    Known* known() const { return block_ ? &block_->known : nullptr; }

private:
    struct Block {
        std::vector<T> all;
        Known known;
    };
    static const std::vector<T>& none() {
        static const std::vector<T> none;
        return none;
    }

    std::shared_ptr<Block> block_;
};

} // namespace natctl::nft
