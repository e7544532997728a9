# SPDX-License-Identifier: GPL-3.0-or-later
# cmake -D OUTPUT=FILE.cpp -P embed.cmake NAME.EXTENSION...: the files of the status page as text in the program, each
# as natctl::page::NAME_EXTENSION.
set(code "// Made from agent/page by embed.cmake.\n#include \"agent/page/page.h\"\n\nnamespace natctl::page {\n")
math(EXPR last "${CMAKE_ARGC} - 1")
set(reached FALSE)
foreach(i RANGE ${last})
  set(argument "${CMAKE_ARGV${i}}")
  if(reached)
    file(READ "${CMAKE_CURRENT_LIST_DIR}/${argument}" content)
    string(REPLACE "." "_" name "${argument}")
    string(APPEND code "\nconst std::string_view ${name} = R\"file(${content})file\";\n")
  elseif(argument MATCHES "embed\\.cmake$")
    set(reached TRUE)
  endif()
endforeach()
file(WRITE "${OUTPUT}" "${code}\n} // namespace natctl::page\n")
