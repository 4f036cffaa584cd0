/* SPDX-License-Identifier: MIT */
#include "hk/guest/files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hk/base/units.h"

/* Where each file lies, seen from the executable: in the build tree, then as installed. */
static const struct place {
    size_t offset;
    const char *built;
    const char *installed;
} places[] = {
#define FIELD(f) offsetof(struct hk_guest_files, f)
    {FIELD(kernel), "core/hkbench-kernel.elf", "../share/hkbench/hkbench-kernel.elf"},
    {FIELD(programs), "core/hkbench-programs.a", "../share/hkbench/hkbench-programs.a"},
    {FIELD(plugin), "bench/guest/plugin/hkbench-plugin.so",
     "../" HK_LIBDIR "/hkbench/hkbench-plugin.so"},
    {FIELD(probe), "bench/guest/probe/hkbench-probe.elf", "../share/hkbench/hkbench-probe.elf"},
    {FIELD(linux_init), "bench/guest/hkbench-linux-init",
     "../" HK_LIBDIR "/hkbench/hkbench-linux-init"},
    {FIELD(model), "bench/guest/cache_model.ini", "../share/hkbench/cache_model.ini"},
    {FIELD(workloads), "bench/guest/workloads", "../share/hkbench/workloads"},
#undef FIELD
};

static bool found_at(const char *folder, const char *name, char *path)
{
    int bytes = snprintf(path, HK_GUEST_PATH_BYTES, "%s/%s", folder, name);

    return bytes > 0 && bytes < HK_GUEST_PATH_BYTES && access(path, R_OK) == 0;
}

enum hk_status hk_guest_files_find(const char *folder, struct hk_guest_files *files,
                                   char error[512])
{
    struct hk_guest_files found;

    for (size_t i = 0; i < HK_ARRAY_COUNT(places); i++) {
        char *path = (char *)&found + places[i].offset;

        if (!found_at(folder, places[i].built, path) &&
            !found_at(folder, places[i].installed, path)) {
            snprintf(error, 512,
                     "%s is missing, neither built nor installed; build the project "
                     "or install it again",
                     places[i].built);
            return HK_ENOENT;
        }
    }
    *files = found;
    return HK_OK;
}

enum hk_status hk_guest_files_own(struct hk_guest_files *files, char error[512])
{
    char folder[HK_GUEST_PATH_BYTES];
    const ssize_t bytes = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

    if (bytes <= 0) {
        snprintf(error, 512, "cannot find the folder of this program: is /proc mounted?");
        return HK_ENOENT;
    }
    folder[bytes] = '\0';
    *strrchr(folder, '/') = '\0';
    return hk_guest_files_find(folder, files, error);
}
