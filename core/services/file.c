/* SPDX-License-Identifier: MIT */
/*
 * A file system in memory: folders, files, and the answers to lookups and stats left
 * in the kernel's cache.
 *
 * What is true lies in the nodes and the names: a node counts while it has a kind, a
 * name counts while it has a file, a page belongs to the node that points to it. Each
 * changes by one store. The hash chains and the list of free pages follow from them.
 * What is true has two copies in a server, and so has the data (services/durable.h).
 */
#include "services/commit.h"
#include "services/durable.h"
#include "services/rows.h"

#define NODES 128u
#define NAMES 256u
#define CHAINS 64u
#define NODE_PAGES (HK_FILE_BYTES_MAX / HK_PAGE_BYTES)
#define NAME_WORDS (HK_FILE_NAME_BYTES / 8)
#define NONE 0xffffu
#define NO_FILE UINT64_MAX

/* As long as a power of two: none lies on two pages. */
struct node {
    _Alignas(128) uint64_t kind; /* enum hk_file_kind */
    uint64_t generation; /* of this slot: old numbers of files are refused */
    uint64_t bytes;
    uint64_t version; /* grows with every change */
    uint16_t page[NODE_PAGES]; /* NONE: never written, reads as zero */
};

struct name {
    _Alignas(64) uint64_t file; /* NO_FILE: not in use */
    uint64_t folder;
    uint64_t text[NAME_WORDS];
};

/* A rename under way: to has the file, from still has it too. */
struct intent {
    uint64_t file; /* NO_FILE: none */
    uint64_t from, to;
};

struct head {
    uint64_t started;
    uint64_t refresh_ns; /* 0: answers are removed before a change is acknowledged */
    struct intent intent;
    /* from here on, on a page of its own: made again by start() */
    _Alignas(HK_PAGE_BYTES) bool stale[NODES]; /* the cached answers are older than the file */
    bool bad[HK_FILE_PAGES];                   /* both copies of the page were damaged */
    bool broken; /* so were those of a node or a name: nothing is known */
    struct hk_durable_tally found;
    uint16_t chain[CHAINS];
    uint16_t next[NAMES];   /* of the chain, or of the free names */
    uint16_t name_of[NODES];
    uint16_t free_name;
    uint16_t free_page_count;
    uint16_t free_page[HK_FILE_PAGES];
    uint16_t lent_count; /* pages of no file that some client still sees */
    uint16_t lent_page[HK_FILE_PAGES];
};

/* How the memory is divided. */
#define HEAD_PAGES 2u
#define NODE_TABLE_PAGES 4u
#define NAME_TABLE_PAGES 4u
#define FIRST_DATA_PAGE (HEAD_PAGES + NODE_TABLE_PAGES + NAME_TABLE_PAGES)

_Static_assert(sizeof(struct head) <= HEAD_PAGES * HK_PAGE_BYTES, "the head fits");
_Static_assert(NODES * sizeof(struct node) <= NODE_TABLE_PAGES * HK_PAGE_BYTES, "nodes fit");
_Static_assert(NAMES * sizeof(struct name) <= NAME_TABLE_PAGES * HK_PAGE_BYTES, "names fit");

struct disk {
    struct hk_service_host *host;
    struct head *head;
    struct node *nodes;
    struct name *names;
    char *base;
};

static struct disk disk_of(struct hk_service_host *host)
{
    char *base = host->memory;

    return (struct disk){
        .host = host,
        .head = (struct head *)(void *)base,
        .nodes = (struct node *)(void *)(base + HEAD_PAGES * HK_PAGE_BYTES),
        .names = (struct name *)(void *)(base + (HEAD_PAGES + NODE_TABLE_PAGES) * HK_PAGE_BYTES),
        .base = base,
    };
}

static char *page_at(const struct disk *disk, uint32_t page)
{
    return disk->base + (uint64_t)page * HK_PAGE_BYTES;
}

/* --- changes that count ------------------------------------------------------- */

static void keep_head(const struct disk *disk)
{
    hk_durable_seal(disk->host, disk->head, offsetof(struct head, stale));
}

static void keep_node(const struct disk *disk, const struct node *node)
{
    hk_durable_seal(disk->host, node, sizeof(*node));
}

/* All but its pages. */
static void keep_facts(const struct disk *disk, const struct node *node)
{
    hk_durable_seal(disk->host, node, offsetof(struct node, page));
}

static void keep_name(const struct disk *disk, const struct name *name)
{
    hk_durable_seal(disk->host, name, sizeof(*name));
}

/* --- numbers and names -------------------------------------------------------- */

/* A file's number: its slot, and which file of that slot it is. */
static uint64_t number_of(const struct disk *disk, const struct node *node)
{
    return (uint64_t)(node - disk->nodes) | node->generation << 16;
}

static struct node *node_of(const struct disk *disk, uint64_t file)
{
    struct node *node;

    if ((file & 0xffff) >= NODES)
        return NULL;
    node = &disk->nodes[file & 0xffff];
    return node->kind != HK_FILE_FREE && node->generation == file >> 16 ? node : NULL;
}

static bool name_is_good(const uint64_t text[NAME_WORDS])
{
    const char *byte = (const char *)text;
    uint64_t length = 0;

    while (length < HK_FILE_NAME_BYTES && byte[length] != '\0') {
        if (byte[length] == '/')
            return false;
        length++;
    }
    for (uint64_t i = length; i < HK_FILE_NAME_BYTES; i++)
        if (byte[i] != '\0')
            return false;
    return length > 0;
}

static uint32_t chain_of(uint64_t folder, const uint64_t text[NAME_WORDS])
{
    uint64_t hash = folder;

    for (uint32_t i = 0; i < NAME_WORDS; i++)
        hash = (hash ^ text[i]) * 0x9e3779b97f4a7c15;
    return hash >> 40 & (CHAINS - 1);
}

static struct name *find_name(const struct disk *disk, uint64_t folder,
                              const uint64_t text[NAME_WORDS])
{
    for (uint16_t i = disk->head->chain[chain_of(folder, text)]; i != NONE;
         i = disk->head->next[i]) {
        struct name *name = &disk->names[i];

        if (name->folder == folder && name->text[0] == text[0] && name->text[1] == text[1] &&
            name->text[2] == text[2])
            return name;
    }
    return NULL;
}

static void link_name(const struct disk *disk, uint16_t index)
{
    const struct name *name = &disk->names[index];
    uint16_t *chain = &disk->head->chain[chain_of(name->folder, name->text)];

    disk->head->next[index] = *chain;
    *chain = index;
    disk->head->name_of[name->file & 0xffff] = index;
}

static void unlink_name(const struct disk *disk, struct name *name)
{
    uint16_t index = (uint16_t)(name - disk->names);
    uint16_t *link = &disk->head->chain[chain_of(name->folder, name->text)];

    while (*link != index)
        link = &disk->head->next[*link];
    *link = disk->head->next[index];
    hk_commit(name->file, NO_FILE);
    keep_name(disk, name);
    disk->head->next[index] = disk->head->free_name;
    disk->head->free_name = index;
}

/* A new name for a file; NULL: no room. */
static struct name *add_name(const struct disk *disk, uint64_t folder,
                             const uint64_t text[NAME_WORDS], uint64_t file)
{
    uint16_t index = disk->head->free_name;
    struct name *name = &disk->names[index];

    if (index == NONE)
        return NULL;
    disk->head->free_name = disk->head->next[index];
    name->folder = folder;
    for (uint32_t i = 0; i < NAME_WORDS; i++)
        name->text[i] = text[i];
    hk_commit(name->file, file);
    keep_name(disk, name);
    link_name(disk, index);
    return name;
}

static bool folder_is_empty(const struct disk *disk, uint64_t folder)
{
    for (uint32_t i = 0; i < NAMES; i++)
        if (disk->names[i].file != NO_FILE && disk->names[i].folder == folder)
            return false;
    return true;
}

/* --- pages -------------------------------------------------------------------- */

/* A page that no file has any more; a client that was lent it may see it until it unmaps it. */
static void free_page(struct hk_service_host *host, const struct disk *disk, uint16_t page)
{
    struct head *head = disk->head;

    if (host->is_lent(host, page_at(disk, page)))
        head->lent_page[head->lent_count++] = page;
    else
        head->free_page[head->free_page_count++] = page;
}

/* Give back what clients have unmapped by now. */
static void collect_lent(struct hk_service_host *host, const struct disk *disk)
{
    struct head *head = disk->head;
    uint16_t count = head->lent_count;

    head->lent_count = 0;
    for (uint16_t i = 0; i < count; i++)
        free_page(host, disk, head->lent_page[i]);
}

/* A page of zeros, or NONE. */
static uint16_t take_page(struct hk_service_host *host, const struct disk *disk)
{
    uint16_t page;

    if (disk->head->free_page_count == 0)
        collect_lent(host, disk);
    if (disk->head->free_page_count == 0)
        return NONE;
    page = disk->head->free_page[--disk->head->free_page_count];
    hk_durable_clear_page(host, page_at(disk, page));
    disk->head->bad[page] = false;
    return page;
}

static void free_pages_from(struct hk_service_host *host, const struct disk *disk,
                            struct node *node, uint64_t first)
{
    for (uint64_t i = first; i < NODE_PAGES; i++) {
        uint16_t page = node->page[i];

        if (page == NONE)
            continue;
        hk_commit(node->page[i], NONE);
        free_page(host, disk, page);
    }
    keep_node(disk, node); /* before any of them is taken again */
}

/* Whether both copies of a file's page were damaged. */
static bool is_bad(const struct disk *disk, const struct node *node, uint64_t index)
{
    return node->page[index] != NONE && disk->head->bad[node->page[index]];
}

/*
 * The page to write to: what a client was lent stays as it is, so the file gets another
 * one; the caller frees the one replaced.
 */
static char *page_to_write(struct hk_service_host *host, const struct disk *disk,
                           struct node *node, uint64_t index, uint16_t *replaced)
{
    uint16_t page = node->page[index], fresh;

    *replaced = NONE;
    if (page != NONE && !host->is_lent(host, page_at(disk, page)))
        return page_at(disk, page);
    fresh = take_page(host, disk);
    if (fresh == NONE)
        return NULL;
    if (page != NONE) {
        hk_durable_copy_page(host, page_at(disk, fresh), page_at(disk, page));
        *replaced = page;
    }
    hk_commit(node->page[index], fresh);
    keep_node(disk, node);
    return page_at(disk, fresh);
}

/* --- answers ------------------------------------------------------------------ */

static void describe(const struct disk *disk, const struct node *node, uint64_t *word)
{
    word[0] = number_of(disk, node);
    word[1] = node->kind;
    word[2] = node->bytes;
    word[3] = node->version;
}

static enum hk_status describe_in(const struct disk *disk, const struct node *node,
                                  struct hk_service_message *message)
{
    describe(disk, node, &message->word[1]);
    message->words = 1 + HK_FILE_ANSWER_WORDS;
    return HK_OK;
}

static void answer_lookup(struct hk_service_host *host, const struct disk *disk,
                          const struct name *name, uint64_t words)
{
    struct hk_answer answer = { .key = hk_file_lookup_key(name->folder, name->text),
                                .words = words };

    if (words > 0)
        describe(disk, &disk->nodes[name->file & 0xffff], answer.word);
    host->answer(host, &answer);
}

static void answer_stat(struct hk_service_host *host, const struct disk *disk,
                        const struct node *node, uint64_t words)
{
    struct hk_answer answer = { .key = hk_file_stat_key(number_of(disk, node)), .words = words };

    describe(disk, node, answer.word);
    host->answer(host, &answer);
}

static void remove_answers(struct hk_service_host *host, const struct disk *disk,
                           const struct node *node)
{
    answer_stat(host, disk, node, 0);
    answer_lookup(host, disk, &disk->names[disk->head->name_of[node - disk->nodes]], 0);
}

/*
 * A file is another one now: no answer about it may be found from here on. Unless
 * somebody asked for answers that may be old: then the next refresh makes them new.
 */
static void changed(struct hk_service_host *host, const struct disk *disk, struct node *node)
{
    node->version++;
    keep_facts(disk, node);
    if (disk->head->refresh_ns == 0)
        remove_answers(host, disk, node);
    else
        disk->head->stale[node - disk->nodes] = true;
}

static enum hk_status refresh(struct hk_service_host *host, const struct disk *disk)
{
    for (uint32_t i = 0; i < NODES; i++) {
        const struct node *node = &disk->nodes[i];

        if (!disk->head->stale[i] || node->kind == HK_FILE_FREE)
            continue;
        answer_stat(host, disk, node, HK_FILE_ANSWER_WORDS);
        answer_lookup(host, disk, &disk->names[disk->head->name_of[i]], HK_FILE_ANSWER_WORDS);
        disk->head->stale[i] = false;
    }
    /* On a grid of its own: how long a refresh takes does not add up over many. */
    const uint64_t refresh_ns = disk->head->refresh_ns;
    host->wake_at(host, refresh_ns != 0 ? (host->clock_ns(host) / refresh_ns + 1) * refresh_ns
                                        : HK_SERVICE_NEVER_NS);
    return HK_OK;
}

#define REFRESH_NS_MIN 10000u /* no client may keep the service busy with it */

static enum hk_status set_refresh(struct hk_service_host *host, const struct disk *disk,
                                  uint64_t refresh_ns)
{
    if (refresh_ns != 0 && (refresh_ns < REFRESH_NS_MIN || refresh_ns > HK_NS_PER_S))
        return HK_EINVAL;
    disk->head->refresh_ns = refresh_ns;
    keep_head(disk);
    return refresh(host, disk);
}

/* --- requests ----------------------------------------------------------------- */

/* The folder and the name of a request, both checked. */
static enum hk_status check_place(const struct disk *disk, uint64_t folder, const uint64_t *text)
{
    const struct node *node = node_of(disk, folder);

    if (node == NULL)
        return HK_ENOENT;
    return node->kind == HK_FILE_FOLDER && name_is_good(text) ? HK_OK : HK_EINVAL;
}

static enum hk_status lookup(struct hk_service_host *host, const struct disk *disk,
                             struct hk_service_message *message)
{
    const struct name *name;
    enum hk_status status = check_place(disk, message->word[1], &message->word[2]);

    if (status != HK_OK)
        return status;
    name = find_name(disk, message->word[1], &message->word[2]);
    if (name == NULL)
        return HK_ENOENT;
    answer_lookup(host, disk, name, HK_FILE_ANSWER_WORDS);
    return describe_in(disk, &disk->nodes[name->file & 0xffff], message);
}

static struct node *unused_node(const struct disk *disk)
{
    for (uint32_t i = 0; i < NODES; i++)
        if (disk->nodes[i].kind == HK_FILE_FREE)
            return &disk->nodes[i];
    return NULL;
}

static void begin_node(const struct disk *disk, struct node *node, uint64_t kind)
{
    node->generation = (node->generation + 1) & 0xffffff; /* a file's number keeps clear of signs */
    node->bytes = 0;
    node->version = 0;
    for (uint32_t i = 0; i < NODE_PAGES; i++)
        node->page[i] = NONE;
    hk_commit(node->kind, kind);
    keep_node(disk, node);
}

static void free_node(const struct disk *disk, struct node *node)
{
    hk_commit(node->kind, HK_FILE_FREE);
    keep_facts(disk, node);
}

/* A file that no name leads to any more, and no answer. */
static void end_node(struct hk_service_host *host, const struct disk *disk, struct node *node)
{
    free_pages_from(host, disk, node, 0);
    free_node(disk, node);
}

static enum hk_status create(const struct disk *disk, struct hk_service_message *message)
{
    uint64_t folder = message->word[1], kind = message->word[5];
    const uint64_t *text = &message->word[2];
    struct node *node;
    enum hk_status status = check_place(disk, folder, text);

    if (status != HK_OK)
        return status;
    if (kind != HK_FILE_PLAIN && kind != HK_FILE_FOLDER)
        return HK_EINVAL;
    if (find_name(disk, folder, text) != NULL)
        return HK_EEXIST;
    node = unused_node(disk);
    if (node == NULL)
        return HK_ENOSPC;
    begin_node(disk, node, kind);
    if (add_name(disk, folder, text, number_of(disk, node)) == NULL) {
        free_node(disk, node);
        return HK_ENOSPC;
    }
    return describe_in(disk, node, message);
}

/* The rest of a page from an offset on, but not more than wanted. */
static uint64_t piece(uint64_t offset, uint64_t wanted)
{
    uint64_t left = HK_PAGE_BYTES - offset % HK_PAGE_BYTES;

    return left < wanted ? left : wanted;
}

static enum hk_status write_file(struct hk_service_host *host, const struct disk *disk,
                                 struct node *node, struct hk_service_message *message)
{
    uint64_t offset = message->word[2], bytes = message->word[3];
    const char *data = (const char *)message->buffer;

    if (bytes > HK_SERVICE_PAYLOAD_BYTES || offset > HK_FILE_BYTES_MAX ||
        bytes > HK_FILE_BYTES_MAX - offset)
        return HK_ETOOBIG;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = offset + done, part = piece(at, bytes - done);
        uint16_t replaced;
        char *page;

        if (part < HK_PAGE_BYTES && is_bad(disk, node, at / HK_PAGE_BYTES))
            return HK_EIO;
        page = page_to_write(host, disk, node, at / HK_PAGE_BYTES, &replaced);
        if (page == NULL)
            return HK_ENOSPC;
        __builtin_memcpy(page + at % HK_PAGE_BYTES, data + done, part);
        hk_durable_seal(host, page + at % HK_PAGE_BYTES, part);
        disk->head->bad[node->page[at / HK_PAGE_BYTES]] = false;
        if (replaced != NONE)
            free_page(host, disk, replaced);
        done += part;
    }
    if (offset + bytes > node->bytes)
        hk_commit(node->bytes, offset + bytes);
    changed(host, disk, node);
    message->word[1] = bytes;
    return HK_OK;
}

static enum hk_status read_file(const struct disk *disk, const struct node *node,
                                struct hk_service_message *message)
{
    uint64_t offset = message->word[2], bytes = message->word[3];
    char *data = (char *)message->buffer;

    if (bytes > HK_SERVICE_PAYLOAD_BYTES)
        return HK_ETOOBIG;
    if (offset >= node->bytes)
        bytes = 0;
    else if (bytes > node->bytes - offset)
        bytes = node->bytes - offset;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = offset + done, part = piece(at, bytes - done);
        uint16_t page = node->page[at / HK_PAGE_BYTES];

        if (is_bad(disk, node, at / HK_PAGE_BYTES))
            return HK_EIO;
        if (page != NONE)
            __builtin_memcpy(data + done, page_at(disk, page) + at % HK_PAGE_BYTES, part);
        else
            __builtin_memset(data + done, 0, part);
        done += part;
    }
    message->word[1] = bytes;
    message->words = hk_service_payload_words(bytes);
    return HK_OK;
}

static enum hk_status lend_page(struct hk_service_host *host, const struct disk *disk,
                                struct node *node, struct hk_service_message *message)
{
    uint64_t offset = message->word[2], index = offset / HK_PAGE_BYTES;
    enum hk_status status;

    if (offset % HK_PAGE_BYTES != 0)
        return HK_EINVAL;
    if (offset >= node->bytes)
        return HK_ERANGE;
    if (is_bad(disk, node, index))
        return HK_EIO;
    if (node->page[index] == NONE) {
        uint16_t page = take_page(host, disk);

        if (page == NONE)
            return HK_ENOSPC;
        hk_commit(node->page[index], page);
        keep_node(disk, node);
    }
    status = host->lend(host, page_at(disk, node->page[index]), message->badge, message->word[3]);
    if (status == HK_OK)
        message->word[1] = piece(offset, node->bytes - offset);
    return status;
}

static enum hk_status truncate(struct hk_service_host *host, const struct disk *disk,
                               struct node *node, uint64_t bytes)
{
    if (bytes > HK_FILE_BYTES_MAX)
        return HK_ETOOBIG;
    if (bytes < node->bytes) {
        uint64_t kept = (bytes + HK_PAGE_BYTES - 1) / HK_PAGE_BYTES;

        if (bytes % HK_PAGE_BYTES != 0 && is_bad(disk, node, kept - 1))
            return HK_EIO;
        hk_commit(node->bytes, bytes);
        free_pages_from(host, disk, node, kept);
        if (bytes % HK_PAGE_BYTES != 0 && node->page[kept - 1] != NONE) {
            uint16_t replaced; /* what was cut off must not come back when the file grows */
            char *page = page_to_write(host, disk, node, kept - 1, &replaced);

            if (page == NULL)
                return HK_ENOSPC;
            __builtin_memset(page + bytes % HK_PAGE_BYTES, 0,
                             HK_PAGE_BYTES - bytes % HK_PAGE_BYTES);
            hk_durable_seal(host, page + bytes % HK_PAGE_BYTES,
                            HK_PAGE_BYTES - bytes % HK_PAGE_BYTES);
            if (replaced != NONE)
                free_page(host, disk, replaced);
        }
    } else {
        hk_commit(node->bytes, bytes);
    }
    changed(host, disk, node);
    return HK_OK;
}

/* Whether a folder is, or lies in, another: it cannot be moved into itself. */
static bool lies_in(const struct disk *disk, uint64_t folder, uint64_t other)
{
    while (folder != other && folder != HK_FILE_ROOT)
        folder = disk->names[disk->head->name_of[folder & 0xffff]].folder;
    return folder == other;
}

static enum hk_status rename_file(struct hk_service_host *host, const struct disk *disk,
                                  const uint64_t *word)
{
    struct name *from, *to;
    struct node *node, *replaced = NULL;
    enum hk_status status = check_place(disk, word[1], &word[2]);

    if (status == HK_OK)
        status = check_place(disk, word[5], &word[6]);
    if (status != HK_OK)
        return status;
    from = find_name(disk, word[1], &word[2]);
    if (from == NULL)
        return HK_ENOENT;
    node = &disk->nodes[from->file & 0xffff];
    to = find_name(disk, word[5], &word[6]);
    if (to == from)
        return HK_OK;
    if (node->kind == HK_FILE_FOLDER && lies_in(disk, word[5], from->file))
        return HK_EINVAL;
    if (to != NULL) {
        replaced = &disk->nodes[to->file & 0xffff];
        if (replaced->kind == HK_FILE_FOLDER)
            return HK_EEXIST;
        changed(host, disk, replaced);
        remove_answers(host, disk, replaced);
    } else if (disk->head->free_name == NONE) {
        return HK_ENOSPC;
    }
    changed(host, disk, node);
    remove_answers(host, disk, node);
    disk->head->intent.from = (uint64_t)(from - disk->names);
    disk->head->intent.to = to != NULL ? (uint64_t)(to - disk->names) : disk->head->free_name;
    hk_commit(disk->head->intent.file, from->file);
    keep_head(disk);
    if (to != NULL) {
        hk_commit(to->file, from->file);
        keep_name(disk, to);
        disk->head->name_of[node - disk->nodes] = (uint16_t)(to - disk->names);
    } else {
        (void)add_name(disk, word[5], &word[6], from->file);
    }
    unlink_name(disk, from);
    hk_commit(disk->head->intent.file, NO_FILE);
    keep_head(disk);
    if (replaced != NULL)
        end_node(host, disk, replaced);
    return HK_OK;
}

static enum hk_status unlink_file(struct hk_service_host *host, const struct disk *disk,
                                  const uint64_t *word)
{
    struct name *name;
    struct node *node;
    enum hk_status status = check_place(disk, word[1], &word[2]);

    if (status != HK_OK)
        return status;
    name = find_name(disk, word[1], &word[2]);
    if (name == NULL)
        return HK_ENOENT;
    node = &disk->nodes[name->file & 0xffff];
    if (node->kind == HK_FILE_FOLDER && !folder_is_empty(disk, name->file))
        return HK_EBUSY;
    changed(host, disk, node);
    remove_answers(host, disk, node); /* by a name that is about to go */
    unlink_name(disk, name);
    end_node(host, disk, node);
    return HK_OK;
}

static enum hk_status list(const struct disk *disk, struct hk_service_message *message)
{
    uint64_t folder = message->word[1];
    const struct node *node = node_of(disk, folder);

    if (node == NULL)
        return HK_ENOENT;
    if (node->kind != HK_FILE_FOLDER)
        return HK_EINVAL;
    for (uint64_t i = message->word[2]; i < NAMES; i++) {
        const struct name *name = &disk->names[i];

        if (name->file == NO_FILE || name->folder != folder)
            continue;
        message->word[1] = name->file;
        message->word[2] = i + 1;
        for (uint32_t w = 0; w < NAME_WORDS; w++)
            message->word[3 + w] = name->text[w];
        message->words = 3 + NAME_WORDS;
        return HK_OK;
    }
    return HK_EEMPTY;
}

/* Requests that name a file by its number. */
static enum hk_status handle_file(struct hk_service_host *host, const struct disk *disk,
                                  struct hk_service_message *message)
{
    struct node *node = node_of(disk, message->word[1]);

    if (node == NULL)
        return HK_ENOENT;
    if (message->word[0] == HK_FILE_STAT) {
        answer_stat(host, disk, node, HK_FILE_ANSWER_WORDS);
        return describe_in(disk, node, message);
    }
    if (node->kind != HK_FILE_PLAIN)
        return HK_EINVAL;
    switch (message->word[0]) {
    case HK_FILE_READ:
        return read_file(disk, node, message);
    case HK_FILE_WRITE:
        return write_file(host, disk, node, message);
    case HK_FILE_LEND:
        return lend_page(host, disk, node, message);
    default:
        return truncate(host, disk, node, message->word[2]);
    }
}

enum hk_status hk_file_handle(struct hk_service_host *host, struct hk_service_message *message)
{
    const struct disk disk = disk_of(host);

    if (message->badge == HK_SERVICE_TIME_BADGE)
        return refresh(host, &disk);
    if (disk.head->broken && message->word[0] < HK_FILE_STATUS)
        return HK_EIO;
    switch (message->word[0]) {
    case HK_FILE_LOOKUP:
        return lookup(host, &disk, message);
    case HK_FILE_CREATE:
        return create(&disk, message);
    case HK_FILE_RENAME:
        return rename_file(host, &disk, message->word);
    case HK_FILE_UNLINK:
        return unlink_file(host, &disk, message->word);
    case HK_FILE_LIST:
        return list(&disk, message);
    case HK_FILE_REFRESH:
        return set_refresh(host, &disk, message->word[1]);
    case HK_FILE_STATUS:
        message->word[1] = disk.head->found.restored;
        message->word[2] = disk.head->found.lost;
        message->words = 3;
        return HK_OK;
    case HK_FILE_STAT:
    case HK_FILE_READ:
    case HK_FILE_WRITE:
    case HK_FILE_LEND:
    case HK_FILE_TRUNCATE:
        return handle_file(host, &disk, message);
    default:
        return HK_ENOSYS;
    }
}

/* --- start -------------------------------------------------------------------- */

static void make_empty(const struct disk *disk)
{
    for (uint32_t i = 0; i < NAMES; i++)
        disk->names[i].file = NO_FILE;
    disk->nodes[HK_FILE_ROOT].kind = HK_FILE_FOLDER;
    for (uint32_t i = 0; i < NODE_PAGES; i++)
        disk->nodes[HK_FILE_ROOT].page[i] = NONE;
    for (uint16_t page = HEAD_PAGES; page < FIRST_DATA_PAGE; page++)
        hk_durable_seal(disk->host, page_at(disk, page), HK_PAGE_BYTES);
    disk->head->intent.file = NO_FILE;
    hk_commit(disk->head->started, 1);
    keep_head(disk);
}

/* Finish the rename that was under way, and free the files that no name leads to. */
static void finish_changes(const struct disk *disk)
{
    const struct intent *intent = &disk->head->intent;
    bool named[NODES] = { [HK_FILE_ROOT] = true };

    if (intent->file != NO_FILE && disk->names[intent->to].file == intent->file) {
        hk_commit(disk->names[intent->from].file, NO_FILE);
        keep_name(disk, &disk->names[intent->from]);
    }
    hk_commit(disk->head->intent.file, NO_FILE);
    keep_head(disk);
    for (uint32_t i = 0; i < NAMES; i++)
        if (disk->names[i].file != NO_FILE)
            named[disk->names[i].file & 0xffff] = true;
    for (uint32_t i = 0; i < NODES; i++)
        if (!named[i] && disk->nodes[i].kind != HK_FILE_FREE)
            free_node(disk, &disk->nodes[i]);
}

static void link_names(const struct disk *disk)
{
    struct head *head = disk->head;

    head->free_name = NONE;
    for (uint32_t i = 0; i < CHAINS; i++)
        head->chain[i] = NONE;
    for (uint16_t i = NAMES; i-- > 0;) {
        if (disk->names[i].file != NO_FILE) {
            link_name(disk, i);
            continue;
        }
        head->next[i] = head->free_name;
        head->free_name = i;
    }
}

/* All pages but the data; false: one is lost. */
static bool mend_tables(const struct disk *disk)
{
    struct hk_durable_tally *found = &disk->head->found;
    bool good = hk_durable_mend(disk->host, 0, found);

    for (uint32_t page = HEAD_PAGES; page < FIRST_DATA_PAGE; page++)
        good &= hk_durable_mend(disk->host, page, found);
    return good;
}

static void list_free_pages(const struct disk *disk)
{
    struct head *head = disk->head;
    bool used[HK_FILE_PAGES] = { false };

    for (uint32_t n = 0; n < NODES; n++)
        for (uint32_t i = 0; i < NODE_PAGES && disk->nodes[n].kind != HK_FILE_FREE; i++)
            if (disk->nodes[n].page[i] != NONE)
                used[disk->nodes[n].page[i]] = true;
    for (uint16_t i = HK_FILE_PAGES; i-- > FIRST_DATA_PAGE;) {
        if (used[i])
            head->bad[i] = !hk_durable_mend(disk->host, i, &head->found);
        else
            free_page(disk->host, disk, i);
    }
}

void hk_file_start(struct hk_service_host *host)
{
    const struct disk disk = disk_of(host);

    __builtin_memset((char *)disk.head + offsetof(struct head, stale), 0,
                     sizeof(*disk.head) - offsetof(struct head, stale));
    disk.head->broken = !mend_tables(&disk);
    if (disk.head->broken)
        return;
    if (disk.head->started == 0)
        make_empty(&disk);
    finish_changes(&disk);
    link_names(&disk);
    list_free_pages(&disk);
    (void)refresh(host, &disk); /* a predecessor's answers went with its endpoint */
}
