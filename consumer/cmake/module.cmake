# SPDX-License-Identifier: Apache-2.0
# sandbox_module(NAME FOLDER [LIBRARY...]): one static library of all C files of a folder, linked with LIBRARY...
# A folder without C files gives an empty interface library.
function(sandbox_module name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ARGN})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARGN})
  endif()
endfunction()
