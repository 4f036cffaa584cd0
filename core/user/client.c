/* SPDX-License-Identifier: MIT */
#include "user/client.h"

#define NAME_WORDS (HK_FILE_NAME_BYTES / 8)

void hk_client_init(struct hk_client *client, uint64_t *ipc_page)
{
    *client = (struct hk_client){ .buffer = ipc_page };
}

static void forget(struct hk_client *client, enum hk_service_number service)
{
    if (client->handle[service] != HK_HANDLE_SELF)
        (void)hk_syscall(HK_SYS_cap_drop, client->handle[service], 0, 0);
    client->handle[service] = HK_HANDLE_SELF;
}

void hk_client_fini(struct hk_client *client)
{
    for (uint32_t i = 0; i < HK_SERVICES; i++)
        forget(client, (enum hk_service_number)i);
}

static enum hk_status look_up(struct hk_client *client, enum hk_service_number service)
{
    const char *name = hk_services[service].name;
    int64_t handle = hk_syscall(HK_SYS_service_lookup, (uint64_t)name, hk_text_bytes(name),
                                HK_CLIENT_PATIENCE_NS);

    if (handle < 0)
        return (enum hk_status)handle;
    client->handle[service] = (uint64_t)handle;
    return HK_OK;
}

enum hk_status hk_client_call(struct hk_client *client, enum hk_service_number service,
                              uint64_t words, uint64_t word[HK_MESSAGE_REGISTER_WORDS])
{
    uint64_t handle;
    int64_t got;

    if (client->handle[service] == HK_HANDLE_SELF) {
        enum hk_status status = look_up(client, service);

        if (status != HK_OK)
            return status;
    }
    handle = client->handle[service];
    got = hk_user_ipc(hk_call_class(words) + (int64_t)words, &handle, word);
    if (got == HK_EPEER)
        forget(client, service);
    if (got < 0)
        return (enum hk_status)got;
    return got == 0 ? HK_EPARSE : (enum hk_status)(int64_t)word[0];
}

/* --- files ---------------------------------------------------------------------- */

/* The next part of a path as a name; what is too long is cut, and then not found. */
static const char *take_name(const char *path, uint64_t name[NAME_WORDS])
{
    char *to = (char *)name;
    uint64_t i = 0;

    for (uint32_t w = 0; w < NAME_WORDS; w++)
        name[w] = 0;
    for (; *path != '\0' && *path != '/'; path++)
        if (i < HK_FILE_NAME_BYTES)
            to[i++] = *path;
    return *path == '/' ? path + 1 : path;
}

static void take_facts(const uint64_t *word, struct hk_file_facts *facts)
{
    *facts = (struct hk_file_facts){ word[0], word[1], word[2], word[3] };
}

static enum hk_status look_in(struct hk_client *client, uint64_t folder,
                              const uint64_t name[NAME_WORDS], struct hk_file_facts *facts)
{
    const struct hk_answer_key key = hk_file_lookup_key(folder, name);
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_LOOKUP, folder, name[0], name[1],
                                                 name[2] };
    enum hk_status status;

    if (hk_syscall5(HK_SYS_answer_get, client->handle[HK_SERVICE_FILE], key.word[0], key.word[1],
                    key.word[2], key.word[3]) == HK_FILE_ANSWER_WORDS) {
        take_facts(client->buffer, facts);
        return HK_OK;
    }
    status = hk_client_call(client, HK_SERVICE_FILE, 2 + NAME_WORDS, word);
    if (status == HK_OK)
        take_facts(&word[1], facts);
    return status;
}

/* The folder a path ends in, and the name there. */
static enum hk_status find_folder(struct hk_client *client, const char *path, uint64_t *folder,
                                  uint64_t name[NAME_WORDS])
{
    struct hk_file_facts facts = { .file = HK_FILE_ROOT };

    for (path = take_name(path, name); *path != '\0'; path = take_name(path, name)) {
        enum hk_status status = look_in(client, facts.file, name, &facts);

        if (status != HK_OK)
            return status;
    }
    *folder = facts.file;
    return HK_OK;
}

enum hk_status hk_client_find(struct hk_client *client, const char *path,
                              struct hk_file_facts *facts)
{
    uint64_t folder, name[NAME_WORDS];
    enum hk_status status = find_folder(client, path, &folder, name);

    return status == HK_OK ? look_in(client, folder, name, facts) : status;
}

enum hk_status hk_client_create(struct hk_client *client, const char *path, uint64_t kind,
                                struct hk_file_facts *facts)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_CREATE };
    enum hk_status status = find_folder(client, path, &word[1], &word[2]);

    word[5] = kind;
    if (status == HK_OK)
        status = hk_client_call(client, HK_SERVICE_FILE, 6, word);
    if (status == HK_OK)
        take_facts(&word[1], facts);
    return status;
}

enum hk_status hk_client_rename(struct hk_client *client, const char *from, const char *to)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_RENAME };
    enum hk_status status = find_folder(client, from, &word[1], &word[2]);

    if (status == HK_OK)
        status = find_folder(client, to, &word[5], &word[6]);
    return status == HK_OK ? hk_client_call(client, HK_SERVICE_FILE, 9, word) : status;
}

enum hk_status hk_client_unlink(struct hk_client *client, const char *path)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_UNLINK };
    enum hk_status status = find_folder(client, path, &word[1], &word[2]);

    return status == HK_OK ? hk_client_call(client, HK_SERVICE_FILE, 5, word) : status;
}

enum hk_status hk_client_read(struct hk_client *client, uint64_t file, uint64_t offset,
                              uint64_t bytes, uint64_t *got)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_READ, file, offset, bytes };
    enum hk_status status = hk_client_call(client, HK_SERVICE_FILE, 4, word);

    if (status == HK_OK)
        *got = word[1];
    return status;
}

enum hk_status hk_client_write(struct hk_client *client, uint64_t file, uint64_t offset,
                               uint64_t bytes)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_FILE_WRITE, file, offset, bytes };

    return hk_client_call(client, HK_SERVICE_FILE, hk_service_payload_words(bytes), word);
}

/* --- memory --------------------------------------------------------------------- */

#define PAGER_PATIENCE_NS (2 * HK_NS_PER_MS)

enum hk_status hk_client_reserve(struct hk_client *client, uint64_t pages, uint64_t *address)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_MEMORY_RESERVE, pages };
    enum hk_status status = hk_client_call(client, HK_SERVICE_MEMORY, 2, word);

    if (status != HK_OK)
        return status;
    status = (enum hk_status)hk_syscall5(HK_SYS_pager_bind, HK_HANDLE_SELF, word[1], pages,
                                         client->handle[HK_SERVICE_MEMORY], PAGER_PATIENCE_NS);
    if (status == HK_OK)
        *address = word[1];
    return status;
}

enum hk_status hk_client_release(struct hk_client *client, uint64_t address, uint64_t pages)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_MEMORY_RELEASE, address };

    (void)hk_syscall(HK_SYS_pager_unbind, HK_HANDLE_SELF, address, 0);
    for (uint64_t i = 0; i < pages; i++) /* one by one: those never touched are not there */
        (void)hk_syscall(HK_SYS_page_unmap, address + i * HK_PAGE_BYTES, 1, 0);
    return hk_client_call(client, HK_SERVICE_MEMORY, 2, word);
}

/* --- filters -------------------------------------------------------------------- */

static enum hk_status fill(struct hk_client *client, uint64_t port,
                           const struct hk_instruction *program, uint64_t count)
{
    enum hk_status status = HK_OK;

    for (uint64_t done = 0; done < count && status == HK_OK;) {
        const uint64_t part = count - done < HK_MESSAGE_BUFFER_WORDS ? count - done
                                                                     : HK_MESSAGE_BUFFER_WORDS;
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_PROGRAM, port, done, part };

        __builtin_memcpy(client->buffer, program + done, part * sizeof(*program));
        status = hk_client_call(client, HK_SERVICE_NET,
                                hk_service_payload_words(part * sizeof(*program)), word);
        done += part;
    }
    return status;
}

enum hk_status hk_client_filter(struct hk_client *client, uint64_t port,
                              const struct hk_instruction *program, uint64_t count,
                              const uint64_t maps[HK_EXTENSION_MAPS],
                              struct hk_client_verdict *verdict)
{
    enum hk_status status = fill(client, port, program, count);
    uint64_t map_count = 0;

    *verdict = (struct hk_client_verdict){ 0 };
    if (status != HK_OK)
        return status;
    while (map_count < HK_EXTENSION_MAPS && maps[map_count] != 0)
        map_count++;
    do {
        uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_FILTER, port, count, map_count,
                                                     maps[0], maps[1], maps[2], maps[3] };

        status = hk_client_call(client, HK_SERVICE_NET, 8, word);
        if (status == HK_OK)
            verdict->processed = word[1];
        if (status == HK_EINVAL)
            verdict->reject = word[1], verdict->at = word[2];
    } while (status == HK_EBUSY);
    return status;
}

enum hk_status hk_client_unfilter(struct hk_client *client, uint64_t port)
{
    uint64_t word[HK_MESSAGE_REGISTER_WORDS] = { HK_NET_UNFILTER, port };

    return hk_client_call(client, HK_SERVICE_NET, 2, word);
}
