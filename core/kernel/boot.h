/* SPDX-License-Identifier: MIT */
/* From a machine that runs to the first user program; and the way down. */
#ifndef HK_KERNEL_BOOT_H
#define HK_KERNEL_BOOT_H

#include "kernel/types.h"

/* The archive of programs, where the boot loader has put it; bytes 0: none. */
struct hk_boot_module {
    const unsigned char *data;
    uint64_t bytes;
};

/*
 * Enter the programs, read the command line, start the program "init" with the
 * right to command the system. On an error: one line `HK1 fail ...`, power off with
 * HK_EXIT_FAIL, or HK_EXIT_COMMAND_LINE when the command line is at fault.
 */
void hk_boot(struct hk_cpu *cpu, const struct hk_boot_module *archive);

/*
 * Value of key=value in the command line; keys are separated by blanks.
 *
 * value  [out]  start of the value
 *
 * Returns its length; 0 when the key is missing or empty.
 */
uint64_t hk_boot_option(const struct hk_kernel *kernel, const char *key, const char **value);

/* Print text or a number as part of a line for the host. */
void hk_print(struct hk_kernel *kernel, const char *text);
void hk_print_number(struct hk_kernel *kernel, uint64_t number);

/* The program init has ended: say how if not by itself, and shut down. */
void hk_boot_end(struct hk_cpu *cpu);

/* End all processes, count what leaked, print the `done` line and power off. */
void hk_shutdown(struct hk_cpu *cpu, uint64_t code);

#endif
