/* SPDX-License-Identifier: MIT */
/*
 * hkbench-plugin.so: exact counts per region from QEMU's code generator.
 *
 *   -plugin hkbench-plugin.so,out=FILE[,model=INI][,elf=IMAGE]...
 *
 * out    counts are written here (format: hk/guest/counts.h)
 * model  parameters of the cache and TLB model; without it there are no such events
 * elf    image whose function symbols name the code; may be given several times
 *
 * The ring of an instruction is the top bit of its address. An instruction is counted when it begins:
 * one that faults and is restarted counts twice, as it does not in QEMU's own icount clock. Under
 * user-mode emulation everything is user. Only the first CPU is counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_symbols.h"
#include "hk/base/mark.h"
#include "hk/guest/cache_model.h"
#include "hk/guest/counts.h"
#include "qemu_abi.h"

#define ELF_CAPACITY 16u
#define PAGE_SHIFT 12u

__attribute__((visibility("default"))) int qemu_plugin_version = QEMU_ABI_VERSION;

enum insn_kind { INSN_PLAIN, INSN_BEGIN, INSN_END, INSN_CR3_WRITE };
enum ring { RING_USER, RING_KERNEL };

struct function {
    const char *name;
    enum ring ring;
    uint64_t instructions; /* in the open region */
    struct function *next;
};

/* What the callbacks need to know of one translated instruction; lives until the next flush. */
struct insn {
    uint64_t address;
    uint64_t frame;
    struct function *function;
    struct insn *next;
    uint32_t bytes;
    uint8_t kind;
    uint8_t ring;
};

/* QEMU gives its translation callback no user pointer, so the plugin's state has one file-wide home. */
static struct {
    bool system;
    bool counting;
    enum ring last_ring;
    uint64_t count[HK_COUNT_COUNT];
    uint64_t region_count;
    uint64_t unmatched_count; /* begin inside a region, end outside of one, region left open */
    uint64_t saturated_count;
    struct hk_cache_model *model;
    struct insn *insns;
    struct function *functions;
    size_t elf_count;
    struct hk_elf_symbols elf[ELF_CAPACITY];
    FILE *out;
} plugin;

static const char *const count_names[] = {
#define X(name, text) #text,
    HK_COUNT_LIST(X) HK_CACHE_EVENT_LIST(X)
#undef X
};

/* --- regions --------------------------------------------------------------- */

static void region_write(void)
{
    size_t last = plugin.model != NULL ? HK_COUNT_COUNT : HK_COUNT_CACHE_MISSES;

    fprintf(plugin.out, "HKC1 region=%" PRIu64, plugin.region_count);
    for (size_t i = 0; i < last; i++) {
        fprintf(plugin.out, " %s=%" PRIu64, count_names[i], plugin.count[i]);
    }
    fputc('\n', plugin.out);
    for (struct function *f = plugin.functions; f != NULL; f = f->next) {
        if (f->instructions != 0) {
            fprintf(plugin.out, "HKC1 function=%s region=%" PRIu64 " ring=%s instructions=%" PRIu64
                    "\n", f->name, plugin.region_count, f->ring == RING_KERNEL ? "kernel" : "user",
                    f->instructions);
        }
    }
    plugin.region_count++;
}

static void region_begin(enum ring ring)
{
    plugin.unmatched_count += plugin.counting;
    memset(plugin.count, 0, sizeof(plugin.count));
    for (struct function *f = plugin.functions; f != NULL; f = f->next) {
        f->instructions = 0;
    }
    if (plugin.model != NULL) {
        hk_cache_model_reset(plugin.model);
    }
    plugin.last_ring = ring;
    plugin.counting = true;
}

static void region_end(void)
{
    if (!plugin.counting) {
        plugin.unmatched_count++;
        return;
    }
    plugin.counting = false;
    if (plugin.model != NULL) {
        memcpy(&plugin.count[HK_COUNT_CACHE_MISSES], hk_cache_model_events(plugin.model),
               HK_CACHE_EVENT_COUNT * sizeof(uint64_t));
        plugin.saturated_count += hk_cache_model_saturated(plugin.model);
    }
    region_write();
}

/* --- execution ------------------------------------------------------------- */

static void on_mark(unsigned int vcpu, void *user)
{
    const struct insn *insn = user;

    if (vcpu != 0) {
        return;
    }
    if (insn->kind == INSN_BEGIN) {
        region_begin(insn->ring);
    } else {
        region_end();
    }
}

static void on_insn(unsigned int vcpu, void *user)
{
    const struct insn *insn = user;

    if (!plugin.counting || vcpu != 0) {
        return;
    }
    plugin.count[insn->ring == RING_KERNEL ? HK_COUNT_INSTRUCTIONS_KERNEL
                                           : HK_COUNT_INSTRUCTIONS_USER]++;
    plugin.count[HK_COUNT_RING_ENTRIES] += insn->ring > plugin.last_ring;
    plugin.last_ring = insn->ring;
    insn->function->instructions++;
    if (plugin.model != NULL) {
        hk_cache_model_fetch(plugin.model, insn->address, insn->frame, insn->bytes);
    }
    if (insn->kind == INSN_CR3_WRITE) {
        plugin.count[HK_COUNT_CR3_WRITES]++;
        if (plugin.model != NULL) {
            hk_cache_model_cr3_write(plugin.model);
        }
    }
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *user)
{
    struct qemu_plugin_hwaddr *hwaddr;
    uint64_t frame = address >> PAGE_SHIFT;

    (void)user;
    if (!plugin.counting || vcpu != 0) {
        return;
    }
    plugin.count[qemu_plugin_mem_is_store(info) ? HK_COUNT_STORES : HK_COUNT_LOADS]++;
    if (plugin.model == NULL) {
        return;
    }
    hwaddr = plugin.system ? qemu_plugin_get_hwaddr(info, address) : NULL;
    if (hwaddr != NULL && qemu_plugin_hwaddr_is_io(hwaddr)) {
        return; /* device registers are not cached */
    }
    if (hwaddr != NULL) {
        frame = qemu_plugin_hwaddr_phys_addr(hwaddr) >> PAGE_SHIFT;
    }
    hk_cache_model_data(plugin.model, address, frame, 1u << qemu_plugin_mem_size_shift(info));
}

/* --- translation ----------------------------------------------------------- */

/* mov %reg, %cr3 is 0f 22 /3 with register operand, a REX prefix before it for r8 to r15. */
static bool is_cr3_write(const unsigned char *code, size_t bytes)
{
    if (bytes > 0 && (code[0] & 0xf0u) == 0x40u) {
        code++;
        bytes--;
    }
    return bytes == 3 && code[0] == 0x0f && code[1] == 0x22 && (code[2] & 0xf8u) == 0xd8u;
}

static enum insn_kind kind_of(const unsigned char *code, size_t bytes)
{
    uint32_t displacement;

    if (is_cr3_write(code, bytes)) {
        return INSN_CR3_WRITE;
    }
    if (bytes != 7 || code[0] != 0x0f || code[1] != 0x1f || code[2] != 0x80) {
        return INSN_PLAIN;
    }
    memcpy(&displacement, code + 3, sizeof(displacement));
    return displacement == (HK_MARK_MAGIC | HK_MARK_BEGIN) ? INSN_BEGIN
           : displacement == (HK_MARK_MAGIC | HK_MARK_END) ? INSN_END
                                                           : INSN_PLAIN;
}

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL) { /* QEMU has no way to hear of it, and a wrong count is worse than none */
        fputs("hkbench-plugin: out of memory\n", stderr);
        abort();
    }
    return memory;
}

static struct function *function_of(uint64_t address, enum ring ring)
{
    const struct hk_elf_symbol *symbol = NULL;
    const char *name;
    struct function *f;

    for (size_t i = 0; i < plugin.elf_count && symbol == NULL; i++) {
        symbol = hk_elf_symbols_find(&plugin.elf[i], address);
    }
    name = symbol != NULL ? symbol->name : "?";
    for (f = plugin.functions; f != NULL; f = f->next) {
        if (f->ring == ring && f->name == name) { /* names are kept once, in the symbol tables */
            return f;
        }
    }
    f = allocate(sizeof(*f));
    *f = (struct function){.name = name, .ring = ring, .next = plugin.functions};
    plugin.functions = f;
    return f;
}

static struct insn *insn_describe(const struct qemu_plugin_insn *source)
{
    struct insn *insn = allocate(sizeof(*insn));
    size_t bytes = qemu_plugin_insn_size(source);
    uint64_t host = (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(source);

    insn->address = qemu_plugin_insn_vaddr(source);
    insn->bytes = (uint32_t)bytes;
    insn->kind = (uint8_t)kind_of(qemu_plugin_insn_data(source), bytes);
    insn->ring = plugin.system && insn->address >> 63 ? RING_KERNEL : RING_USER;
    /* any number that names the page will do; bit 63 keeps host pages apart from guest frames */
    insn->frame = plugin.system ? host >> PAGE_SHIFT | 1ull << 63 : insn->address >> PAGE_SHIFT;
    insn->function = function_of(insn->address, insn->ring);
    insn->next = plugin.insns;
    plugin.insns = insn;
    return insn;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);

    (void)id;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *source = qemu_plugin_tb_get_insn(tb, i);
        struct insn *insn = insn_describe(source);
        bool is_mark = insn->kind == INSN_BEGIN || insn->kind == INSN_END;

        qemu_plugin_register_vcpu_insn_exec_cb(source, is_mark ? on_mark : on_insn,
                                               QEMU_PLUGIN_CB_NO_REGS, insn);
        qemu_plugin_register_vcpu_mem_cb(source, on_access, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_RW, NULL);
    }
}

/* Every translated block is gone, and with them the only users of the descriptions. */
static void on_flush(qemu_plugin_id_t id)
{
    (void)id;
    while (plugin.insns != NULL) {
        struct insn *next = plugin.insns->next;

        free(plugin.insns);
        plugin.insns = next;
    }
}

static void on_exit_of_emulator(qemu_plugin_id_t id, void *user)
{
    (void)id;
    (void)user;
    plugin.unmatched_count += plugin.counting;
    plugin.counting = false;
    fprintf(plugin.out, "HKC1 done regions=%" PRIu64 " unmatched=%" PRIu64 " saturated=%" PRIu64
            "\n", plugin.region_count, plugin.unmatched_count, plugin.saturated_count);
    if (fclose(plugin.out) != 0) {
        fputs("hkbench-plugin: the counts could not be written\n", stderr);
    }
    /* the rest is left to the end of the process: a CPU may still be inside a callback */
}

/* --- arguments ------------------------------------------------------------- */

static bool model_open(const char *path)
{
    struct hk_cache_params params;
    char error[256];

    if (hk_cache_params_read(path, &params, error) != HK_OK) {
        fprintf(stderr, "hkbench-plugin: %s\n", error);
        return false;
    }
    return hk_cache_model_create(&params, &plugin.model) == HK_OK;
}

static unsigned char *file_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    unsigned char *data = NULL;
    long size;

    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0) {
        rewind(file);
        data = allocate((size_t)size);
        *bytes = fread(data, 1, (size_t)size, file);
    }
    fclose(file);
    return data;
}

static bool elf_open(const char *path)
{
    size_t bytes = 0;
    unsigned char *image = file_read(path, &bytes);
    enum hk_status status = HK_ENOENT;

    if (image != NULL && plugin.elf_count < ELF_CAPACITY) {
        status = hk_elf_symbols_parse(image, bytes, &plugin.elf[plugin.elf_count]);
    }
    free(image);
    if (status != HK_OK) {
        fprintf(stderr, "hkbench-plugin: %s: no readable ELF image\n", path);
        return false;
    }
    plugin.elf_count++;
    return true;
}

static bool argument_take(const char *argument)
{
    if (strncmp(argument, "out=", 4) == 0 && plugin.out == NULL) {
        plugin.out = fopen(argument + 4, "w");
        if (plugin.out == NULL) {
            perror(argument + 4);
        }
        return plugin.out != NULL;
    }
    if (strncmp(argument, "model=", 6) == 0 && plugin.model == NULL) {
        return model_open(argument + 6);
    }
    if (strncmp(argument, "elf=", 4) == 0) {
        return elf_open(argument + 4);
    }
    fprintf(stderr, "hkbench-plugin: unknown or repeated argument %s\n", argument);
    return false;
}

/* QEMU's entry point, called once; anything but 0 makes QEMU stop with an error. */
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const struct qemu_info *info,
                                                               int argc, char **argv)
{
    if (info->version.min > QEMU_ABI_VERSION || info->version.cur < QEMU_ABI_VERSION) {
        fprintf(stderr, "hkbench-plugin: this QEMU speaks plugin API %d to %d, this plugin %d\n",
                info->version.min, info->version.cur, QEMU_ABI_VERSION);
        return 1;
    }
    if (strcmp(info->target_name, "x86_64") != 0) {
        fprintf(stderr, "hkbench-plugin: only x86_64 is understood, not %s\n", info->target_name);
        return 1;
    }
    for (int i = 0; i < argc; i++) {
        if (!argument_take(argv[i])) {
            return 1;
        }
    }
    if (plugin.out == NULL) {
        fputs("hkbench-plugin: out=FILE is missing\n", stderr);
        return 1;
    }
    plugin.system = info->system_emulation;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_flush_cb(id, on_flush);
    qemu_plugin_register_atexit_cb(id, on_exit_of_emulator, NULL);
    return 0;
}
