/* SPDX-License-Identifier: MIT */
/*
 * Run a guest under QEMU and bring home what it printed and what was counted.
 *
 * Nothing survives a run: QEMU dies with its caller, is killed and reaped on every path, and counts
 * come through memory rather than through files. What the guest prints on its debug console is
 * kept, bounded, and offered line by line while it runs.
 */
#ifndef HK_GUEST_QEMU_H
#define HK_GUEST_QEMU_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/status.h"

#define HK_QEMU_ERROR_BYTES 512

enum hk_qemu_machine { HK_QEMU_MICROVM, HK_QEMU_Q35, HK_QEMU_MACHINE_COUNT };

/* EXACT: TCG, one nanosecond of guest time per instruction; KVM: the processor itself. */
enum hk_qemu_clock { HK_QEMU_EXACT, HK_QEMU_KVM };

/* What is booted: our kernel, an ELF image with a PVH note, or a Linux bzImage. */
enum hk_qemu_image { HK_QEMU_PVH, HK_QEMU_LINUX };

struct hk_qemu_options {
    const char *program;  /* NULL: qemu-system-x86_64 from PATH */
    enum hk_qemu_image image;
    const char *kernel;
    const char *programs; /* PVH: archive of programs; LINUX: initramfs; NULL: none */
    const char *init;     /* LINUX: ELF image of its first program, for names; NULL: none */
    const char *append;   /* its command line; NULL for none */
    enum hk_qemu_machine machine;
    enum hk_qemu_clock clock;
    uint32_t memory_mib;
    uint32_t timeout_ms; /* 0: none */
    size_t output_bytes; /* kept at most; more stops the guest. 0: 16 MiB */
    /* counting plugin; NULL: none. HK_QEMU_EXACT only; LINUX is counted from HK_MARK_ARM on */
    const char *plugin;
    const char *model;   /* parameters of the cache model; NULL: no such events */
    const char *trace;   /* the plugin writes a log of crossings here; NULL: none */
    uint16_t gdb_port;   /* 0: none; else wait there for a debugger before the first instruction */
    bool held;           /* let the guest go only when QEMU is ready, and note when (released_ns) */

    void (*on_line)(void *user, const char *line); /* each line as it comes; NULL: none */
    void *user;
    const volatile sig_atomic_t *stop; /* non-zero ends the run with HK_EINTR; may be NULL */
};

struct hk_qemu_result {
    char *text; /* what the guest printed, terminated */
    size_t text_bytes;
    char *counts; /* what the plugin wrote, terminated; NULL without plugin */
    size_t counts_bytes;
    uint64_t released_ns;     /* held: CLOCK_MONOTONIC before the guest's first instruction; else 0 */
    uint64_t first_output_ns; /* from QEMU's start to the guest's first byte; 0: it was silent */
    uint64_t wall_ns;         /* from QEMU's start to its end */
    bool exited;              /* the guest ended itself by the exit device */
    uint8_t exit_value;       /* the value it gave; only when exited */
};

/* "microvm" or "q35". HK_ENOENT for any other text, with *machine untouched. */
enum hk_status hk_qemu_machine_find(const char *name, enum hk_qemu_machine *machine);
const char *hk_qemu_machine_name(enum hk_qemu_machine machine);

/*
 * Boot, wait, reap.
 *
 * options  [in]   what to run
 * result   [out]  written on HK_OK only; release with hk_qemu_result_fini
 * error    [out]  on failure one line for people, with the remedy
 *
 * Returns HK_OK when QEMU ended by itself, whatever the guest thought of it (see exited);
 * HK_ENOTSUP when QEMU is not installed, speaks another plugin interface or has no KVM here;
 * HK_EPARSE when the kernel is no such image; HK_ENOENT when it cannot be read; HK_ETIMEOUT
 * when the guest hung; HK_EPEER when QEMU was killed; HK_ETOOBIG when the guest printed too much;
 * HK_EINTR when stopped; HK_EIO when QEMU refused its command line; HK_ENOMEM; HK_EINVAL.
 */
enum hk_status hk_qemu_run(const struct hk_qemu_options *options, struct hk_qemu_result *result,
                           char error[HK_QEMU_ERROR_BYTES]);
void hk_qemu_result_fini(struct hk_qemu_result *result);

/*
 * Version of the QEMU that would run, e.g. "7.2.22". Counts depend on it only where it changes the
 * processor it shows, but a reader of a result should know it.
 *
 * program  [in]   as in the options
 * version  [out]  written on HK_OK only
 * error    [out]  as hk_qemu_run
 *
 * Returns HK_OK; HK_EPARSE when the program does not answer like QEMU; else as hk_qemu_run.
 */
enum hk_status hk_qemu_version(const char *program, char version[32],
                               char error[HK_QEMU_ERROR_BYTES]);

#endif
