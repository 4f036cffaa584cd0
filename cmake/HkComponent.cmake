# SPDX-License-Identifier: MIT
#
# A component is one folder with a public include directory and declared edges.
# hk_component() refuses an edge that the table below does not allow, and since
# nothing else puts a folder on the include path, an undeclared include does not
# compile. hk_test() adds a cmocka program to CTest.

# component -> the components whose public headers it may include.
# The table is the architecture: docs/decisions/0001-tree.md says why.
set(HK_EDGES_base "")
set(HK_EDGES_core "base")
set(HK_EDGES_stats "base")
set(HK_EDGES_counters "base")
set(HK_EDGES_machine "base;counters")
set(HK_EDGES_gbench "")
set(HK_EDGES_transport "base;core")
set(HK_EDGES_path "base;transport")
set(HK_EDGES_result "base")
set(HK_EDGES_compare "base;stats;result")
set(HK_EDGES_history "base;stats;result")
set(HK_EDGES_run "base;core;stats;counters;machine;transport;path;result;guest")
set(HK_EDGES_guest "base;core;counters;machine;result;stats")
set(HK_EDGES_model "base;stats")
set(HK_EDGES_judge "base;core;stats;result;model")
set(HK_EDGES_trial "base;stats;result;model;judge")
set(HK_EDGES_predict "base;core;stats;result;model;guest;judge")
set(HK_EDGES_report "base;stats;result;judge")
set(HK_EDGES_cli
    "base;core;stats;counters;machine;gbench;transport;path;result;run;guest;compare;model;judge;trial;predict;report;history")

# A text that snprintf cuts is checked where it matters; that warning comes and goes with the
# optimisation level.
set(HK_WARNINGS -Wall -Wextra -Wconversion -Wshadow -Wno-format-truncation -Werror)
set(HK_SANITIZERS "")
if(HK_SANITIZE)
  set(HK_SANITIZERS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()

# Compile options shared by all hosted code of the project.
function(hk_target_options target)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:${HK_WARNINGS}>
    $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Werror>
    ${HK_SANITIZERS})
  target_link_options(${target} PRIVATE ${HK_SANITIZERS})
endfunction()

# hk_component(NAME stats DEPS base SOURCES a.c b.c [LIBS GSL::gsl])
#
# NAME     component; its public headers live in include/ beside the CMakeLists.txt
# DEPS     components whose headers it includes; each must be in the edge table
# SOURCES  C files; none makes a header-only component
# LIBS     external libraries
function(hk_component)
  cmake_parse_arguments(A "" "NAME" "DEPS;SOURCES;LIBS" ${ARGN})
  if(NOT DEFINED HK_EDGES_${A_NAME})
    message(FATAL_ERROR "component '${A_NAME}' has no row in cmake/HkComponent.cmake's edge table")
  endif()
  foreach(dep IN LISTS A_DEPS)
    if(NOT dep IN_LIST HK_EDGES_${A_NAME})
      message(FATAL_ERROR "edge ${A_NAME} -> ${dep} is not allowed: arrows point down; "
                          "allowed from ${A_NAME}: '${HK_EDGES_${A_NAME}}' (cmake/HkComponent.cmake)")
    endif()
  endforeach()
  list(TRANSFORM A_DEPS PREPEND hk_)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/*.h)
  set(target hk_${A_NAME})
  if(A_SOURCES)
    add_library(${target} STATIC ${A_SOURCES})
    hk_target_options(${target})
    target_link_libraries(${target} PUBLIC ${A_DEPS} PRIVATE ${A_LIBS})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${A_DEPS} ${A_LIBS})
    set(scope INTERFACE)
  endif()
  if(headers)
    target_sources(${target} ${scope} FILE_SET HEADERS
      BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR}/include FILES ${headers})
    # Checked one by one as C: with C++ enabled CMake would take .h for C++.
    set_source_files_properties(${headers} PROPERTIES LANGUAGE C)
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()
endfunction()

# hk_optional(fuse fuse3 file_fuse)
#
# A source that needs a library which may be missing: file_fuse.c where pkg-config knows fuse3, else
# file_fuse_none.c with the same symbols. Sets fuse_source, fuse_library and, for who loads the
# library at run time and needs its headers alone, fuse_options.
function(hk_optional name package source)
  pkg_check_modules(HK_OPTIONAL_${name} QUIET IMPORTED_TARGET ${package})
  if(HK_OPTIONAL_${name}_FOUND)
    set(${name}_source ${source}.c PARENT_SCOPE)
    set(${name}_library PkgConfig::HK_OPTIONAL_${name} PARENT_SCOPE)
    set(options ${HK_OPTIONAL_${name}_CFLAGS})
    list(TRANSFORM options REPLACE "^-I" "-isystem") # its headers keep rules of their own
    set(${name}_options ${options} PARENT_SCOPE)
  else()
    set(${name}_source ${source}_none.c PARENT_SCOPE)
    set(${name}_library "" PARENT_SCOPE)
    set(${name}_options "" PARENT_SCOPE)
  endif()
endfunction()

# hk_test(NAME test_x [SOURCES test_x.c] [DEPS stats] [LIBS ...] [TIMEOUT 60])
#
# A test program: exit status 0 pass, 1 fail, 77 skip (with its reason printed).
function(hk_test)
  cmake_parse_arguments(A "" "NAME;TIMEOUT" "SOURCES;DEPS;LIBS" ${ARGN})
  if(NOT A_SOURCES)
    set(A_SOURCES ${A_NAME}.c)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  list(TRANSFORM A_DEPS PREPEND hk_)
  add_executable(${A_NAME} ${A_SOURCES})
  hk_target_options(${A_NAME})
  target_link_libraries(${A_NAME} PRIVATE ${A_DEPS} ${A_LIBS} cmocka)
  add_test(NAME ${A_NAME} COMMAND ${A_NAME})
  set_tests_properties(${A_NAME} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT ${A_TIMEOUT})
endfunction()
