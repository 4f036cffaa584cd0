/* SPDX-License-Identifier: MIT */
/*
 * hkbench-plugin.so: exact counts per region from QEMU's code generator.
 *
 *   -plugin hkbench-plugin.so,out=FILE[,model=INI][,elf=IMAGE]...[,programs=ARCHIVE][,trace=FILE]
 *           [,from=arm[,symbols=memo]]
 *
 * out       counts are written here (format: hk/guest/counts.h)
 * model     parameters of the cache and TLB model; without it there are no such events
 * elf       image whose function symbols name the code; may be given several times
 * programs  ar archive of such images; their functions are named program:function
 * trace     a log for people of every crossing between the rings and every change of address space;
 *           HK_MARK_DISARM does not end it
 * from      "arm": run at full speed until the guest executes HK_MARK_ARM, because a stock kernel
 *           boots for a thousand million instructions that nobody asked about
 * symbols   "memo": the guest has left its kernel's functions (kallsyms.h) in its memory before that
 *           mark (hk/base/memo.h). The images name its one program, whose functions are init:function
 *
 * The ring of an instruction is the top bit of its address. An instruction is counted when it
 * begins: one that faults and is restarted counts twice, as it does not in QEMU's own icount clock.
 * Under user-mode emulation everything is user. Only the first CPU is counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "elf_symbols.h"
#include "hk/base/mark.h"
#include "hk/base/units.h"
#include "hk/guest/cache_model.h"
#include "hk/guest/counts.h"
#include "kallsyms.h"
#include "memo.h"
#include "qemu_abi.h"

#define IMAGE_CAPACITY 32u
#define PAGE_SHIFT     12u

__attribute__((visibility("default"))) int qemu_plugin_version = QEMU_ABI_VERSION;

enum insn_kind { INSN_PLAIN, INSN_BEGIN, INSN_END, INSN_ARM, INSN_DISARM, INSN_CR3_WRITE };
enum ring { RING_USER, RING_KERNEL };

/* An image whose symbols name code. */
struct image {
    char program[24]; /* "peer:", or empty */
    struct hk_elf_symbols symbols;
};

struct function {
    const struct hk_elf_symbol *symbol; /* NULL: code that no image accounts for */
    const struct image *image;
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

/* QEMU gives its translation callback no user pointer, so the plugin's state has one file-wide
 * home. */
static struct {
    qemu_plugin_id_t id;
    bool waiting; /* for HK_MARK_ARM */
    bool over;    /* after HK_MARK_DISARM */
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
    size_t image_count;
    struct image images[IMAGE_CAPACITY];
    bool memo;           /* the guest leaves its kernel's functions; else the kernel is an image */
    struct image kernel; /* with a memo only */
    FILE *out;
    FILE *trace;
    enum ring trace_ring;
    uint64_t trace_count;                  /* instructions since the start */
    uint64_t trace_crossed;                /* the same at the last crossing */
    const struct function *trace_function; /* of the instruction before */
} plugin;

static const char *const count_names[] = {
#define X(name, text) #text,
    HK_COUNT_LIST(X) HK_CACHE_EVENT_LIST(X)
#undef X
};

static const char *function_name(const struct function *f)
{
    return f->symbol != NULL ? f->symbol->name : "?";
}

static const char *function_program(const struct function *f)
{
    if (plugin.memo && f->ring == RING_USER) {
        return "init:";
    }
    return f->image != NULL ? f->image->program : "";
}

static const char *ring_name(enum ring ring)
{
    return ring == RING_KERNEL ? "kernel" : "user";
}

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
            fprintf(plugin.out,
                    "HKC1 function=%s%s region=%" PRIu64 " ring=%s instructions=%" PRIu64 "\n",
                    function_program(f), function_name(f), plugin.region_count, ring_name(f->ring),
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

    if (vcpu != 0 || plugin.over) {
        return;
    }
    if (insn->kind == INSN_BEGIN) {
        region_begin(insn->ring);
    } else {
        region_end();
    }
}

/* One line per crossing: when, from where to where, and how long the ring before was kept. */
static void trace_crossing(const struct insn *insn)
{
    const struct function *from = plugin.trace_function;

    fprintf(plugin.trace, "%12" PRIu64 "  %-6s -> %-6s  %s%s -> %s%s  (%" PRIu64 " in %s)\n",
            plugin.trace_count, ring_name(plugin.trace_ring), ring_name(insn->ring),
            function_program(from), function_name(from), function_program(insn->function),
            function_name(insn->function), plugin.trace_count - plugin.trace_crossed,
            ring_name(plugin.trace_ring));
    plugin.trace_crossed = plugin.trace_count;
}

static void trace_insn(const struct insn *insn)
{
    if (plugin.trace_count == 0 && insn->ring == RING_USER) {
        return; /* firmware and early boot: the log starts with the kernel */
    }
    if (plugin.trace_function != NULL && insn->ring != plugin.trace_ring) {
        trace_crossing(insn);
    }
    plugin.trace_count++;
    plugin.trace_ring = insn->ring;
    plugin.trace_function = insn->function;
    if (insn->kind == INSN_CR3_WRITE) {
        fprintf(plugin.trace, "%12" PRIu64 "  address space     %s%s\n", plugin.trace_count,
                function_program(insn->function), function_name(insn->function));
    }
}

static void on_insn(unsigned int vcpu, void *user)
{
    const struct insn *insn = user;

    if (plugin.trace != NULL && vcpu == 0) {
        trace_insn(insn);
    }
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
    switch (displacement) {
    case HK_MARK_MAGIC | HK_MARK_BEGIN:
        return INSN_BEGIN;
    case HK_MARK_MAGIC | HK_MARK_END:
        return INSN_END;
    case HK_MARK_MAGIC | HK_MARK_ARM:
        return INSN_ARM;
    case HK_MARK_MAGIC | HK_MARK_DISARM:
        return INSN_DISARM;
    default:
        return INSN_PLAIN;
    }
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

static struct function *function_of(const struct image *image, uint64_t address, enum ring ring)
{
    const struct hk_elf_symbol *symbol =
        image != NULL ? hk_elf_symbols_find(&image->symbols, address) : NULL;
    struct function *f;

    for (f = plugin.functions; f != NULL; f = f->next) {
        if (f->ring == ring && f->symbol == symbol) {
            return f;
        }
    }
    f = allocate(sizeof(*f));
    *f =
        (struct function){.symbol = symbol, .image = image, .ring = ring, .next = plugin.functions};
    plugin.functions = f;
    return f;
}

/* Of several images at one address: every instruction must be there, byte for byte. */
static const struct image *image_matching(const struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);

    for (size_t i = 0; i < plugin.image_count; i++) {
        size_t matched = 0;

        while (matched < count) {
            const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, matched);

            if (!hk_elf_symbols_match(&plugin.images[i].symbols, qemu_plugin_insn_vaddr(insn),
                                      qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn))) {
                break;
            }
            matched++;
        }
        if (matched == count) {
            return &plugin.images[i];
        }
    }
    return NULL;
}

/* The image that holds the block's code. A kernel that lists its functions needs no comparing. */
static const struct image *image_of(const struct qemu_plugin_tb *tb)
{
    return plugin.memo && qemu_plugin_tb_vaddr(tb) >> 63 ? &plugin.kernel : image_matching(tb);
}

static struct insn *insn_describe(const struct qemu_plugin_insn *source, const struct image *image)
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
    insn->function = function_of(image, insn->address, insn->ring);
    insn->next = plugin.insns;
    plugin.insns = insn;
    return insn;
}

/* A memo that cannot be read names nothing. */
static void kernel_symbols_take(const void *guest_memory)
{
    char *text = NULL;
    size_t bytes = 0;

    if (hk_memo_read(guest_memory, &text, &bytes) == HK_OK) {
        (void)hk_kallsyms_parse(text, bytes, &plugin.kernel.symbols);
    }
    free(text);
}

static void callbacks_register(qemu_plugin_id_t id);

/* What was translated so far carries no callbacks: QEMU drops it all and translates again. */
static void on_arm(unsigned int vcpu, void *user)
{
    if (plugin.waiting && vcpu == 0) {
        plugin.waiting = false;
        if (plugin.memo) {
            kernel_symbols_take(user);
        }
        qemu_plugin_reset(plugin.id, callbacks_register);
    }
}

/*
 * Nothing more is to be counted: what is translated from now on carries no callbacks. A timer cuts
 * blocks at ever new places, so that is most of what follows. What is translated stays as it is: to
 * drop it would leave QEMU 7.2 with a pointer to callbacks that are gone (mended in 8.0). A trace
 * goes on to the end.
 */
static void on_disarm(unsigned int vcpu, void *user)
{
    (void)user;
    plugin.over = plugin.over || (vcpu == 0 && plugin.trace == NULL);
}

/* Before HK_MARK_ARM: nothing but that mark is looked for. */
static void on_translation_waiting(struct qemu_plugin_tb *tb)
{
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

        if (kind_of(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn)) == INSN_ARM) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_arm, QEMU_PLUGIN_CB_NO_REGS,
                                                   qemu_plugin_insn_haddr(insn));
        }
    }
}

static qemu_plugin_exec_cb callback_of(uint8_t kind)
{
    switch (kind) {
    case INSN_BEGIN:
    case INSN_END:
        return on_mark;
    case INSN_DISARM:
        return on_disarm;
    default:
        return on_insn;
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);
    const struct image *image;

    (void)id;
    if (plugin.over) {
        return;
    }
    if (plugin.waiting) {
        on_translation_waiting(tb);
        return;
    }
    image = image_of(tb);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *source = qemu_plugin_tb_get_insn(tb, i);
        struct insn *insn = insn_describe(source, image);

        qemu_plugin_register_vcpu_insn_exec_cb(source, callback_of(insn->kind),
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
    fprintf(plugin.out,
            "HKC1 done regions=%" PRIu64 " unmatched=%" PRIu64 " saturated=%" PRIu64 "\n",
            plugin.region_count, plugin.unmatched_count, plugin.saturated_count);
    if (fclose(plugin.out) != 0 || (plugin.trace != NULL && fflush(plugin.trace) != 0)) {
        fputs("hkbench-plugin: counts or trace could not be written\n", stderr);
    }
    /* the rest is left to the end of the process: a CPU may still be inside a callback */
}

static void callbacks_register(qemu_plugin_id_t id)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_flush_cb(id, on_flush);
    qemu_plugin_register_atexit_cb(id, on_exit_of_emulator, NULL);
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

/* The image's bytes are kept: symbols are matched against them to the end. */
static bool image_add(const char *program, const unsigned char *data, size_t bytes)
{
    struct image *image = &plugin.images[plugin.image_count];

    if (plugin.image_count == IMAGE_CAPACITY ||
        hk_elf_symbols_parse(data, bytes, &image->symbols) != HK_OK) {
        return false;
    }
    snprintf(image->program, sizeof(image->program), "%s%s", program, program[0] ? ":" : "");
    plugin.image_count++;
    return true;
}

static bool elf_open(const char *path)
{
    size_t bytes = 0;
    const unsigned char *data = file_read(path, &bytes);

    if (data == NULL || !image_add("", data, bytes)) {
        fprintf(stderr, "hkbench-plugin: %s: no readable ELF image\n", path);
        return false;
    }
    return true;
}

/* Members that are no programs have no code to name. */
static bool programs_open(const char *path)
{
    size_t bytes = 0;
    const unsigned char *data = file_read(path, &bytes);
    struct hk_archive_member member;
    enum hk_status status = HK_EPARSE;
    size_t position = 0;

    while (data != NULL && (status = hk_archive_next(data, bytes, &position, &member)) == HK_OK) {
        (void)image_add(member.name, member.data, member.bytes);
    }
    if (status != HK_ENOENT) {
        fprintf(stderr, "hkbench-plugin: %s: no readable archive\n", path);
        return false;
    }
    return true;
}

static bool file_create(const char *path, FILE **file)
{
    if (*file == NULL) {
        *file = fopen(path, "w");
    }
    if (*file == NULL) {
        fprintf(stderr, "hkbench-plugin: %s: %s\n", path, strerror(errno));
    }
    return *file != NULL;
}

static bool out_open(const char *path)
{
    return file_create(path, &plugin.out);
}

static bool trace_open(const char *path)
{
    return file_create(path, &plugin.trace);
}

static bool from_set(const char *mark)
{
    plugin.waiting = strcmp(mark, "arm") == 0;
    if (!plugin.waiting) {
        fprintf(stderr, "hkbench-plugin: from=%s: only from=arm is understood\n", mark);
    }
    return plugin.waiting;
}

static bool symbols_set(const char *where)
{
    plugin.memo = strcmp(where, "memo") == 0;
    if (!plugin.memo) {
        fprintf(stderr, "hkbench-plugin: symbols=%s: only symbols=memo is understood\n", where);
    }
    return plugin.memo;
}

static const struct argument {
    const char *name;
    bool (*open)(const char *value);
} arguments[] = {
    {"out=", out_open},           {"model=", model_open}, {"elf=", elf_open},
    {"programs=", programs_open}, {"trace=", trace_open},
    {"from=", from_set},          {"symbols=", symbols_set},
};

static bool argument_take(const char *text)
{
    for (size_t i = 0; i < HK_ARRAY_COUNT(arguments); i++) {
        size_t bytes = strlen(arguments[i].name);

        if (strncmp(text, arguments[i].name, bytes) == 0) {
            return arguments[i].open(text + bytes);
        }
    }
    fprintf(stderr, "hkbench-plugin: unknown argument %s\n", text);
    return false;
}

/* QEMU's entry point, called once; anything but 0 makes QEMU stop with an error. */
__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
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
    plugin.id = id;
    callbacks_register(id);
    return 0;
}
