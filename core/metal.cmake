# SPDX-License-Identifier: MIT
#
# The kernel and its programs for the machine: no libc, no sanitizers, no
# position-independent code, always -O2, so that instruction counts are the same
# in every preset.
enable_language(ASM)

execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
  OUTPUT_VARIABLE HK_COMPILER_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE)

set(HK_METAL_OPTIONS -O2 -ffreestanding -nostdinc -isystem ${HK_COMPILER_INCLUDE}
  -fno-pie -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables
  -mgeneral-regs-only -mno-red-zone)

function(hk_metal_target target script)
  target_include_directories(${target} PRIVATE
    ${CMAKE_SOURCE_DIR}/core ${CMAKE_SOURCE_DIR}/core/include ${CMAKE_SOURCE_DIR}/base/include)
  target_compile_options(${target} PRIVATE ${HK_METAL_OPTIONS} ${ARGN}
    $<$<COMPILE_LANGUAGE:C>:${HK_WARNINGS}>)
  target_link_options(${target} PRIVATE -nostdlib -static -no-pie -Wl,--build-id=none
    -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments
    -T ${CMAKE_CURRENT_SOURCE_DIR}/${script})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF
    LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${script})
endfunction()

set(HK_MACHINE_SOURCES
  ${CMAKE_SOURCE_DIR}/base/status.c
  arch/x86_64/apic.c
  arch/x86_64/boot.S
  arch/x86_64/cpu.c
  arch/x86_64/entry.S
  arch/x86_64/offsets.c
  arch/x86_64/setup.c
  arch/x86_64/start.c
  arch/x86_64/string.c
  arch/x86_64/trap.c
  port/metal.c)
add_executable(hkbench-kernel.elf ${HK_KERNEL_SOURCES} kernel/scenario_table.c
  ${HK_MACHINE_SOURCES})
hk_metal_target(hkbench-kernel.elf arch/x86_64/kernel.ld -mcmodel=kernel)

# Kernels of tests differ from it in a file: the rest of its objects serves them, too.
function(hk_kernel_variant name without)
  add_executable(${name} ${ARGN}
    $<FILTER:$<TARGET_OBJECTS:hkbench-kernel.elf>,EXCLUDE,/${without}[.]o$>)
  hk_metal_target(${name} arch/x86_64/kernel.ld -mcmodel=kernel)
endfunction()

# With the kernel's table of tests as one more scenario.
set(HK_TABLE_SOURCES test/table.c test/table_pages.c test/table_messages.c test/table_signals.c
  test/table_io.c test/table_memory.c test/table_pager.c test/table_policy.c test/table_services.c)
if(NOT HK_SANITIZE) # like the tests that boot: test/CMakeLists.txt
  hk_kernel_variant(hkbench-kernel-test.elf scenario_table.c test/scenario_table.c
    ${HK_TABLE_SOURCES})
endif()

# And one with an instruction more in its shortest path: a comparison must find it.
add_custom_command(OUTPUT entry_nop.S DEPENDS arch/x86_64/entry.S VERBATIM
  COMMAND sed "s/^call_short:$/call_short: nop/" ${CMAKE_CURRENT_SOURCE_DIR}/arch/x86_64/entry.S
    > entry_nop.S)
hk_kernel_variant(hkbench-kernel-nop.elf entry.S ${CMAKE_CURRENT_BINARY_DIR}/entry_nop.S)

# Programs become members of one archive, which QEMU loads with -initrd.
function(hk_program name)
  add_executable(hk_program_${name} ${ARGN} arch/x86_64/string.c user/start.S user/user.c)
  hk_metal_target(hk_program_${name} user/user.ld -fomit-frame-pointer)
  set_target_properties(hk_program_${name} PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/programs)
  set_property(GLOBAL APPEND PROPERTY HK_PROGRAMS hk_program_${name})
endfunction()

hk_program(init
  user/client.c
  user/compose.c
  user/delays.c
  user/devices_scenario.c
  user/experiments.c
  user/experiments_call.c
  user/experiments_extension.c
  user/experiments_memory.c
  user/experiments_object.c
  user/experiments_service.c
  user/experiments_stream.c
  user/fallback.c
  user/faults.c
  user/filter.c
  user/filter_check.c
  user/fuzz_scenario.c
  user/hello.c
  user/init.c
  user/isolation.c
  user/paging_scenario.c
  user/outages_scenario.c
  user/periodic.c
  user/policy_scenario.c
  user/services_scenario.c
  user/spawn.c
  user/staleness.c
  user/versions_scenario.c
  user/virtio_scenario.c
  user/workload.c
  user/workload_actions.c
  ${HK_SERVICE_SOURCES})
hk_program(fuzz user/fuzz.c)
hk_program(pager user/pager.c)
hk_program(peer user/filter.c user/peer.c)
hk_program(policy user/policy.c)
hk_program(server user/server.c ${HK_SERVICE_SOURCES})
hk_program(versions user/versions.c)
hk_program(victim user/victim.c)
hk_program(worker user/worker.c)

get_property(programs GLOBAL PROPERTY HK_PROGRAMS)
set(program_files "")
foreach(program IN LISTS programs)
  list(APPEND program_files $<TARGET_FILE:${program}>)
endforeach()
set(HK_PROGRAMS_ARCHIVE ${CMAKE_CURRENT_BINARY_DIR}/hkbench-programs.a)
add_custom_command(OUTPUT ${HK_PROGRAMS_ARCHIVE}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${HK_PROGRAMS_ARCHIVE}
  COMMAND ${CMAKE_AR} rcSD ${HK_PROGRAMS_ARCHIVE} ${program_files}
  DEPENDS ${programs} VERBATIM)
add_custom_target(hk_programs_archive ALL DEPENDS ${HK_PROGRAMS_ARCHIVE})
install(FILES $<TARGET_FILE:hkbench-kernel.elf> ${HK_PROGRAMS_ARCHIVE}
  DESTINATION ${CMAKE_INSTALL_DATADIR}/hkbench)
