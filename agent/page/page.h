// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

/// The status page. Its files stand beside this one; embed.cmake puts them into the program.
namespace natctl::page {

extern const std::string_view index_html;
extern const std::string_view page_css;
extern const std::string_view page_js;
extern const std::string_view dom_js;
extern const std::string_view flows_js;
extern const std::string_view meters_js;
extern const std::string_view picture_js;
extern const std::string_view words_js;
extern const std::string_view icon_svg;

} // namespace natctl::page
