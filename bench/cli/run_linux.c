/* SPDX-License-Identifier: MIT */
#include "run_linux.h"

#include <glob.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_files.h"
#include "hk/base/units.h"

#define NATIVE "native/"
#define LINUX  "linux/"

/*
 * One CPU and no real time: these kinds, without a second core, a rate, or other clients. The
 * guest runs all of them under one policy, so those that name one would come twice.
 */
static const char cells_that_fit[] =
    "^native/((syscall|round_trip|chain|inject|inject_syscall|copy|remap|fallback|block_read)/|"
    "file_read/tmpfs/)";
static const char cells_that_do_not[] =
    "/place:(cross_core|smt|cross_socket)|/peer:|/rate_per_s:|/clients:|/policy:|/state:(l2|llc|dram)";

/* Where kernels lie, the best first; %s is the folder of this program. */
static const char *const kernel_patterns[] = {
    "%s/../linux/boot/vmlinuz-*", /* where ./run unpacks one, without installing it */
    "/boot/vmlinuz-*-cloud-amd64",
    "/boot/vmlinuz-*",
};

/* What a stock kernel has as a module, and the cells that ask for it. */
static const struct module {
    const char *cells;
    const char *path; /* in the folder of the kernel's modules */
} modules[] = {
    {NATIVE "block_read/loop/", "kernel/drivers/block/loop.ko"},
    {NATIVE "block_read/nbd/", "kernel/drivers/block/nbd.ko"},
};

struct selection {
    struct hk_cells cells; /* native names */
    const char **names;    /* those wanted; they live in cells */
    size_t count;
};

static void selection_fini(struct selection *s)
{
    free(s->names);
    hk_cells_fini(&s->cells);
}

/* A filter is searched in the names that the run will hold. */
static bool wanted(const char *native, const regex_t *fit, const regex_t *not_fit,
                   const regex_t *filter)
{
    char name[HK_NAME_BYTES];

    if (regexec(fit, native, 0, NULL, 0) != 0 || regexec(not_fit, native, 0, NULL, 0) == 0)
        return false;
    snprintf(name, sizeof name, LINUX "%s", native + strlen(NATIVE));
    return filter == NULL || regexec(filter, name, 0, NULL, 0) == 0;
}

static enum hk_status select_cells(enum hk_run_mode mode, const regex_t *filter,
                                   struct selection *s)
{
    char error[HK_TEXT_BYTES];
    regex_t fit, not_fit;
    const enum hk_status status = hk_cells_expand(mode, NULL, &s->cells, error);

    if (status != HK_OK)
        return status;
    s->names = calloc(s->cells.count, sizeof *s->names);
    if (s->names == NULL)
        return HK_ENOMEM;
    if (regcomp(&fit, cells_that_fit, REG_EXTENDED | REG_NOSUB) != 0)
        return HK_ENOMEM;
    if (regcomp(&not_fit, cells_that_do_not, REG_EXTENDED | REG_NOSUB) != 0) {
        regfree(&fit);
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < s->cells.count; i++)
        if (wanted(s->cells.names[i], &fit, &not_fit, filter))
            s->names[s->count++] = s->cells.names[i];
    regfree(&fit);
    regfree(&not_fit);
    return HK_OK;
}

/* The newest readable file of the first pattern that has one. */
static bool find_kernel(char kernel[HK_GUEST_PATH_BYTES])
{
    char folder[HK_GUEST_PATH_BYTES / 2], pattern[HK_GUEST_PATH_BYTES];
    const ssize_t bytes = readlink("/proc/self/exe", folder, sizeof folder - 1);

    folder[bytes > 0 ? bytes : 0] = '\0';
    if (strrchr(folder, '/') != NULL)
        *strrchr(folder, '/') = '\0';
    kernel[0] = '\0';
    for (size_t i = 0; i < HK_ARRAY_COUNT(kernel_patterns) && kernel[0] == '\0'; i++) {
        glob_t found;
        snprintf(pattern, sizeof pattern, kernel_patterns[i], folder);
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t f = 0; f < found.gl_pathc; f++)
            if (access(found.gl_pathv[f], R_OK) == 0 &&
                (kernel[0] == '\0' || strverscmp(found.gl_pathv[f], kernel) > 0))
                snprintf(kernel, HK_GUEST_PATH_BYTES, "%s", found.gl_pathv[f]);
        globfree(&found);
    }
    return kernel[0] != '\0';
}

static bool any_cell_begins(const struct selection *s, const char *with)
{
    for (size_t i = 0; i < s->count; i++)
        if (strncmp(s->names[i], with, strlen(with)) == 0)
            return true;
    return false;
}

/*
 * Where packages put the modules of .../boot/vmlinuz-VERSION: .../lib/modules/VERSION. Those that
 * cells need and that are there; says which are not.
 */
static size_t find_modules(const char *kernel, const struct selection *s,
                           char paths[HK_ARRAY_COUNT(modules)][HK_GUEST_PATH_BYTES])
{
    const char *slash = strrchr(kernel, '/');
    const char *file = slash != NULL ? slash + 1 : kernel;
    const char *dash = strchr(file, '-');
    size_t count = 0;

    for (size_t i = 0; i < HK_ARRAY_COUNT(modules); i++) {
        if (!any_cell_begins(s, modules[i].cells))
            continue;
        snprintf(paths[count], HK_GUEST_PATH_BYTES, "%.*s../lib/modules/%s/%s",
                 (int)(file - kernel), kernel, dash != NULL ? dash + 1 : "", modules[i].path);
        if (access(paths[count], R_OK) == 0)
            count++;
        else
            hk_cli_error("run", "no module %s: its cells will not be available unless the kernel "
                         "has it built in", paths[count]);
    }
    return count;
}

static enum hk_exit boot_selection(const struct hk_run_linux_options *options,
                                   const struct selection *s)
{
    static char kernel[HK_GUEST_PATH_BYTES];
    static char module_paths[HK_ARRAY_COUNT(modules)][HK_GUEST_PATH_BYTES];
    const char *found[HK_ARRAY_COUNT(modules)];
    struct hk_guest_linux linux_guest = {.kernel = options->kernel, .append = options->append,
                                         .cells = s->names, .cell_count = s->count};

    if (linux_guest.kernel == NULL && !find_kernel(kernel)) {
        hk_cli_error("run", "no Linux kernel is found; name a bzImage with --kernel, or install "
                     "the package linux-image-cloud-amd64");
        return HK_EXIT_UNMEASURED;
    }
    if (linux_guest.kernel == NULL)
        linux_guest.kernel = kernel;
    linux_guest.module_count = find_modules(linux_guest.kernel, s, module_paths);
    for (size_t i = 0; i < linux_guest.module_count; i++)
        found[i] = module_paths[i];
    linux_guest.modules = found;
    return hk_cli_run_guest(&options->guest, &linux_guest);
}

enum hk_exit hk_cli_run_linux(const struct hk_run_linux_options *options)
{
    const char *filter = options->guest.filter;
    struct selection selection = {0};
    enum hk_exit code = HK_EXIT_USAGE;
    char cause[128];
    regex_t regex;

    const int error = filter != NULL ? regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB) : 0;
    if (error != 0) {
        regerror(error, &regex, cause, sizeof cause);
        hk_cli_error("run", "filter '%.200s' is no regular expression: %s", filter, cause);
        return HK_EXIT_USAGE;
    }
    if (select_cells(options->mode, filter != NULL ? &regex : NULL, &selection) != HK_OK)
        hk_cli_error("run", "out of memory");
    else if (selection.count == 0)
        hk_cli_error("run", "no cell of a Linux guest matches '%.200s'; their names are those of "
                     "hkbench list with " LINUX " for " NATIVE, filter != NULL ? filter : "");
    else
        code = boot_selection(options, &selection);
    selection_fini(&selection);
    if (filter != NULL)
        regfree(&regex);
    return code;
}
