/* SPDX-License-Identifier: MIT */
/* PVH start info: memory, modules, command line; then the kernel proper. */
#include "arch/x86_64/machine.h"
#include "arch/x86_64/paging.h"
#include "kernel/boot.h"

#define PVH_MAGIC 0x336ec578
#define PVH_RAM 1
#define EARLY_MAP_END 0x100000000 /* what boot.S has mapped */

/* Structures of the PVH boot protocol (Xen's start_info.h describes them). */
struct pvh_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};

struct pvh_module {
    uint64_t address, bytes, command_line, reserved;
};

struct pvh_range {
    uint64_t address, bytes;
    uint32_t type, reserved;
};

static struct hk_kernel kernel;
struct hk_cpu hk_cpu_here __attribute__((section(".percpu"), aligned(4096)));

static void *early(uint64_t physical)
{
    return (void *)(HK_DIRECT_MAP + physical);
}

static uint64_t page_up(uint64_t address)
{
    return (address + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES * HK_PAGE_BYTES;
}

/* Free memory from the end of the image to the end of its range, or to the module in it. */
static void find_memory(const struct pvh_info *info, const struct pvh_module *module,
                        uint64_t *base, uint64_t *end, uint64_t *memory_end)
{
    const struct pvh_range *map = early(info->memory_map);
    uint64_t image_end = page_up((uint64_t)hk_image_end - HK_IMAGE_BASE);

    *base = image_end;
    *end = image_end;
    for (uint32_t i = 0; i < info->memory_map_count; i++)
        if (map[i].type == PVH_RAM && map[i].address <= image_end &&
            map[i].address + map[i].bytes > image_end)
            *end = map[i].address + map[i].bytes;
    if (*end > EARLY_MAP_END)
        *end = EARLY_MAP_END;
    *memory_end = *end;
    if (module != NULL && module->address >= *base && module->address < *end) {
        if (module->address - *base > *end - (module->address + module->bytes))
            *end = module->address;
        else
            *base = page_up(module->address + module->bytes);
    }
    *end -= *end % HK_PAGE_BYTES;
}

static void copy_command_line(const struct pvh_info *info, char *to)
{
    const char *from = early(info->command_line);
    uint32_t i = 0;

    if (info->command_line == 0)
        return;
    for (; from[i] != '\0' && i < HK_COMMAND_LINE_BYTES - 1; i++)
        to[i] = from[i];
    if (from[i] != '\0')
        hk_machine_panic("command line too long: bytes allowed", HK_COMMAND_LINE_BYTES, 0);
}

_Noreturn void hk_boot_main(uint64_t start_info)
{
    const struct pvh_info *info = early(start_info);
    const struct pvh_module *module = NULL;
    uint64_t base, end, memory_end;
    struct hk_boot_module archive = { 0 };

    if (start_info >= EARLY_MAP_END || info->magic != PVH_MAGIC)
        hk_machine_panic("not started by PVH: start info", start_info, 0);
    if (info->module_count > 0)
        module = early(info->modules);
    find_memory(info, module, &base, &end, &memory_end);
    if (hk_kernel_init(&kernel, &hk_cpu_here, HK_DIRECT_MAP, base, end - base) != HK_OK)
        hk_machine_panic("too little memory: first and last free address", base, end);
    kernel.memory_end = memory_end;
    copy_command_line(info, kernel.command_line);
    if (module != NULL) {
        archive.data = early(module->address);
        archive.bytes = module->bytes;
    }
    hk_cpu_setup();
    if (hk_paging_setup(&kernel, memory_end) != HK_OK)
        hk_machine_panic("too little memory: first and last free address", base, end);
    hk_apic_setup();
    hk_metal_start_clock();
    hk_boot(&hk_cpu_here, &archive);
    hk_exit_full();
}
