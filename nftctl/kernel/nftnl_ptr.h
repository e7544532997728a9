// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

extern "C" {
#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
}

namespace natctl {

/// Deleter of a C handle by its own free function.
template <auto release>
struct Releaser {
    template <class T>
    void operator()(T* handle) const {
        release(handle);
    }
};

using MnlSocketPtr = std::unique_ptr<mnl_socket, Releaser<mnl_socket_close>>;

using NftnlTablePtr = std::unique_ptr<nftnl_table, Releaser<nftnl_table_free>>;
using NftnlChainPtr = std::unique_ptr<nftnl_chain, Releaser<nftnl_chain_free>>;
using NftnlRulePtr = std::unique_ptr<nftnl_rule, Releaser<nftnl_rule_free>>;
using NftnlObjPtr = std::unique_ptr<nftnl_obj, Releaser<nftnl_obj_free>>;
using NftnlExprPtr = std::unique_ptr<nftnl_expr, Releaser<nftnl_expr_free>>;
using NftnlExprIterPtr = std::unique_ptr<nftnl_expr_iter, Releaser<nftnl_expr_iter_destroy>>;
using NftnlSetPtr = std::unique_ptr<nftnl_set, Releaser<nftnl_set_free>>;
using NftnlSetElemPtr = std::unique_ptr<nftnl_set_elem, Releaser<nftnl_set_elem_free>>;
using NftnlSetElemsIterPtr = std::unique_ptr<nftnl_set_elems_iter, Releaser<nftnl_set_elems_iter_destroy>>;
using NftnlUdataPtr = std::unique_ptr<nftnl_udata_buf, Releaser<nftnl_udata_buf_free>>;
using NftnlBatchPtr = std::unique_ptr<nftnl_batch, Releaser<nftnl_batch_free>>;

/// The handle, or std::bad_alloc: running out of memory is the one way in which the alloc functions fail.
template <class T>
T* allocated(T* handle) {
    if (handle == nullptr) throw std::bad_alloc();
    return handle;
}

} // namespace natctl
