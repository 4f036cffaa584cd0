# SPDX-License-Identifier: MIT
# Parsers of foreign bytes under libFuzzer, a few seconds each with a fixed seed. Needs clang,
# which need not be the compiler of the project; without it there are no such tests. They carry
# their own sanitizers, so once is enough: not in the preset asan.
find_program(HK_CLANG NAMES clang clang-14 clang-15 clang-16)

# hk_parser_fuzz(NAME name SOURCES file... INCLUDES folder... [LIBS -lname...])
#
# Builds fuzz/fuzz_<name>.c with the sources under test and adds the test fuzz_<name>, which
# starts from the files in fuzz/seeds/<name>. Sources and folders are relative to the project.
function(hk_parser_fuzz)
  cmake_parse_arguments(PARSE_ARGV 0 F "" NAME "SOURCES;INCLUDES;LIBS")
  if(NOT HK_CLANG OR HK_SANITIZE)
    return()
  endif()
  set(program ${CMAKE_CURRENT_BINARY_DIR}/fuzz_${F_NAME})
  list(TRANSFORM F_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/)
  list(TRANSFORM F_INCLUDES PREPEND -I${CMAKE_SOURCE_DIR}/)
  set(sources ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/fuzz_${F_NAME}.c ${F_SOURCES})
  add_custom_command(OUTPUT ${program} VERBATIM DEPENDS ${sources}
    COMMAND ${HK_CLANG} -g1 -O1 -std=c17 -D_GNU_SOURCE
      -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
      ${F_INCLUDES} ${sources} ${F_LIBS} -o ${program})
  add_custom_target(build_fuzz_${F_NAME} ALL DEPENDS ${program})
  # the fuzzer adds what it finds to its first folder, so it works on a copy
  file(COPY fuzz/seeds/${F_NAME} DESTINATION ${CMAKE_CURRENT_BINARY_DIR}/seeds)
  # what the parsers print about bad input is of no interest here
  add_test(NAME fuzz_${F_NAME} COMMAND ${program} -seed=1 -runs=100000 -max_total_time=3
    -verbosity=0 -close_fd_mask=3 ${CMAKE_CURRENT_BINARY_DIR}/seeds/${F_NAME})
  set_tests_properties(fuzz_${F_NAME} PROPERTIES TIMEOUT 60)
endfunction()
