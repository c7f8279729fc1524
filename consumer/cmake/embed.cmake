# SPDX-License-Identifier: Apache-2.0
# embed_files(TARGET SYMBOL FILE...): makes a static library that holds the files' bytes as
#   const struct embedded_file SYMBOL[]; const size_t SYMBOL_count;   (handlers/base/embedded.h)
# A file's name in the table is its path below the calling folder.
function(embed_files target symbol)
  set(out ${PROJECT_BINARY_DIR}/generated/${symbol}.c)
  set(inputs "")
  foreach(file IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH file OUTPUT_VARIABLE path)
    list(APPEND inputs ${path})
  endforeach()
  list(JOIN inputs "|" joined)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DSYMBOL=${symbol} -DBASE=${CMAKE_CURRENT_SOURCE_DIR} "-DFILES=${joined}"
      -P ${PROJECT_SOURCE_DIR}/consumer/cmake/embed_script.cmake
    DEPENDS ${inputs} ${PROJECT_SOURCE_DIR}/consumer/cmake/embed_script.cmake VERBATIM)
  add_library(${target} STATIC ${out})
endfunction()
