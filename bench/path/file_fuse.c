/* SPDX-License-Identifier: MIT */
/*
 * Our own file system in a server behind FUSE, by libfuse's low-level interface. The server
 * makes the mount and hands it to the client: it alone holds the device, so that its death is
 * seen by whoever waits for an answer, and the mount ends with the client's last descriptor.
 */
#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "files.h"
#include "mount.h"

/* How long the kernel may believe what it was told of a file it may keep. */
static const double kept_s = 3600;

struct served {
    struct hk_file *file;
    struct hk_memfs *fs;
    uid_t user; /* the files' owner */
    gid_t group;
    int device;
    /* with cache:passthrough only */
    int backing;    /* a file of the kernel's with the same contents; -1 */
    int backing_id; /* what the kernel calls it; 0: not yet */
    bool opening;   /* the next reply is to an open */
};

static struct served *served_of(fuse_req_t request)
{
    struct served *s = fuse_req_userdata(request);

    /* One thread writes. */
    const uint64_t requests = atomic_load_explicit(&s->file->shared->requests,
                                                   memory_order_relaxed);
    atomic_store_explicit(&s->file->shared->requests, requests + 1, memory_order_release);
    return s;
}

static int error_of(enum hk_status status)
{
    switch (status) {
    case HK_ENOENT: return ENOENT;
    case HK_EINVAL: return EISDIR;
    case HK_ENOSPC: return EFBIG;
    default: return EIO;
    }
}

static double timeout_s(const struct served *s)
{
    return s->file->options.cache == HK_FILE_DIRECT ? 0 : kept_s;
}

static struct stat stat_of(const struct served *s, const struct hk_memfs_attributes *a)
{
    return (struct stat){
        .st_ino = a->inode, .st_mode = a->folder ? S_IFDIR | 0700 : S_IFREG | 0600,
        .st_nlink = 1, .st_uid = s->user, .st_gid = s->group, .st_size = (off_t)a->bytes,
        .st_blocks = (blkcnt_t)((a->bytes + 511) / 512),
    };
}

static void serve_init(void *context, struct fuse_conn_info *connection)
{
    const struct served *s = context;

    connection->want &= ~(unsigned)(FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                                    FUSE_CAP_SPLICE_READ | FUSE_CAP_WRITEBACK_CACHE);
    if (s->file->options.splice)
        connection->want |= connection->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    if (s->file->options.cache == HK_FILE_WRITEBACK)
        connection->want |= connection->capable & FUSE_CAP_WRITEBACK_CACHE;
}

static void serve_lookup(fuse_req_t request, fuse_ino_t folder, const char *name)
{
    const struct served *s = served_of(request);
    struct fuse_entry_param entry = {.attr_timeout = timeout_s(s), .entry_timeout = timeout_s(s)};
    struct hk_memfs_attributes found;
    const enum hk_status status = hk_memfs_lookup(s->fs, folder, name, &found);

    if (status != HK_OK) {
        fuse_reply_err(request, error_of(status));
        return;
    }
    entry.ino = found.inode;
    entry.attr = stat_of(s, &found);
    fuse_reply_entry(request, &entry);
}

static void serve_attributes(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    const struct served *s = served_of(request);
    struct hk_memfs_attributes found;
    const enum hk_status status = hk_memfs_attributes(s->fs, inode, &found);

    (void)info;
    if (status != HK_OK) {
        fuse_reply_err(request, error_of(status));
        return;
    }
    const struct stat st = stat_of(s, &found);
    fuse_reply_attr(request, &st, timeout_s(s));
}

/* --- reads and writes that pass the server by ---------------------------------------------- */

/*
 * Linux 6.9 lets a server name a file of the kernel's at open; libfuse knows of it from 3.17 on.
 * With an older one the two replies that say so are completed on their way to the device: the
 * structures are the kernel's, and those of its fields that libfuse leaves at zero.
 */
struct backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};

/* Both replies as Linux 6.9 has them: its older headers have other names for the last fields. */
struct init_reply {
    uint32_t before[3];
    uint32_t flags;
    uint32_t between[4];
    uint32_t flags2;
    uint32_t max_stack_depth;
    uint32_t after[6];
};
struct open_reply {
    uint64_t file;
    uint32_t open_flags;
    int32_t backing_id;
};
_Static_assert(sizeof(struct init_reply) == sizeof(struct fuse_init_out) &&
                   offsetof(struct init_reply, flags) == offsetof(struct fuse_init_out, flags) &&
                   offsetof(struct init_reply, flags2) == offsetof(struct fuse_init_out, flags2),
               "struct fuse_init_out");
_Static_assert(sizeof(struct open_reply) == sizeof(struct fuse_open_out) &&
                   offsetof(struct open_reply, open_flags) ==
                       offsetof(struct fuse_open_out, open_flags),
               "struct fuse_open_out");

#define BACKING_OPEN     _IOW(FUSE_DEV_IOC_MAGIC, 1, struct backing_map)
#define PASSTHROUGH_BIT  (1u << (37 - 32)) /* of flags2 */
#define OPEN_PASSTHROUGH (1u << 7)

/* Whether the kernel has the call at all; before the first request it refuses to do it. */
static enum hk_status passthrough_probe(int device, char reason[HK_REASON_BYTES])
{
    const struct backing_map nothing = {.fd = -1};

    if (ioctl(device, BACKING_OPEN, &nothing) == 0 || (errno != ENOTTY && errno != EOPNOTSUPP))
        return HK_OK;
    snprintf(reason, HK_REASON_BYTES, "this kernel's FUSE has no passthrough; use Linux 6.9 or "
             "newer with CONFIG_FUSE_PASSTHROUGH");
    return HK_ENOTSUP;
}

/* The file behind the one file: a copy of what the server has, whole. */
static enum hk_status open_backing(struct served *s)
{
    s->backing = memfd_create("hk_backing", MFD_CLOEXEC);
    return s->backing >= 0 && pwrite(s->backing, s->file->expected, s->file->options.bytes, 0) ==
                                  (ssize_t)s->file->options.bytes ? HK_OK : HK_ENOMEM;
}

/* Registers it with the connection; errno when the kernel refuses. */
static int name_backing(struct served *s)
{
    const struct backing_map map = {.fd = s->backing};

    s->backing_id = ioctl(s->device, BACKING_OPEN, &map);
    s->opening = s->backing_id > 0;
    return s->opening ? 0 : errno;
}

static void complete_init(struct init_reply *reply)
{
    reply->flags |= FUSE_INIT_EXT;
    reply->flags2 |= PASSTHROUGH_BIT;
    reply->max_stack_depth = 1; /* the file behind is itself no stack */
}

static void complete_open(struct open_reply *reply, int backing_id)
{
    reply->open_flags = OPEN_PASSTHROUGH;
    reply->backing_id = backing_id;
}

static ssize_t write_reply(int device, struct iovec *parts, int count, void *context)
{
    struct served *s = context;
    const struct fuse_out_header *head = parts[0].iov_base;

    if (count == 2 && head->error == 0 && parts[1].iov_len == sizeof(struct init_reply))
        complete_init(parts[1].iov_base);
    if (count == 2 && s->opening && parts[1].iov_len == sizeof(struct open_reply))
        complete_open(parts[1].iov_base, s->backing_id);
    s->opening = false;
    return writev(device, parts, count);
}

static ssize_t read_request(int device, void *to, size_t bytes, void *context)
{
    (void)context;
    return read(device, to, bytes);
}

static const struct fuse_custom_io completing = {.writev = write_reply, .read = read_request};

static void serve_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    struct served *s = served_of(request);
    const int error = s->backing >= 0 ? name_backing(s) : 0;

    (void)inode;
    if (error != 0) {
        fuse_reply_err(request, error);
        return;
    }
    info->direct_io = s->file->options.cache == HK_FILE_DIRECT;
    info->keep_cache = !info->direct_io;
    fuse_reply_open(request, info);
}

static void serve_read(fuse_req_t request, fuse_ino_t inode, size_t bytes, off_t offset,
                       struct fuse_file_info *info)
{
    const struct served *s = served_of(request);
    const unsigned char *data;
    const enum hk_status status = hk_memfs_view(s->fs, inode, (uint64_t)offset, &data, &bytes);

    (void)info;
    if (status != HK_OK) {
        fuse_reply_err(request, error_of(status));
    } else if (s->file->options.splice) {
        struct fuse_bufvec pages = FUSE_BUFVEC_INIT(bytes);
        pages.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
        pages.buf[0].fd = hk_memfs_fd(s->fs);
        pages.buf[0].pos = (off_t)hk_memfs_fd_offset(s->fs, data);
        fuse_reply_data(request, &pages, FUSE_BUF_SPLICE_MOVE);
    } else {
        fuse_reply_buf(request, (const char *)data, bytes);
    }
}

static void serve_write(fuse_req_t request, fuse_ino_t inode, const char *data, size_t bytes,
                        off_t offset, struct fuse_file_info *info)
{
    const struct served *s = served_of(request);
    const enum hk_status status = hk_memfs_write(s->fs, inode, (uint64_t)offset, data, bytes);

    (void)info;
    if (status != HK_OK)
        fuse_reply_err(request, error_of(status));
    else
        fuse_reply_write(request, bytes);
}

static const struct fuse_lowlevel_ops operations = {
    .init = serve_init,
    .lookup = serve_lookup,
    .getattr = serve_attributes,
    .open = serve_open,
    .read = serve_read,
    .write = serve_write,
};

/* The mount that asks this device's holder. */
static enum hk_status mount_device(int device, int *folder, char reason[HK_REASON_BYTES])
{
    char fd[16], user[16], group[16];

    snprintf(fd, sizeof fd, "%d", device);
    snprintf(user, sizeof user, "%u", (unsigned)getuid());
    snprintf(group, sizeof group, "%u", (unsigned)getgid());
    const struct hk_mount_option options[] = {{"fd", fd}, {"rootmode", "40000"},
                                              {"user_id", user}, {"group_id", group},
                                              {NULL, NULL}};
    return hk_mount_open("fuse", options, folder, reason);
}

static enum hk_status open_mount(bool passes, int *device, int *folder,
                                 char reason[HK_REASON_BYTES])
{
    enum hk_status status = hk_mount_allow(reason);
    if (status != HK_OK)
        return status;
    *device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (*device < 0) {
        snprintf(reason, HK_REASON_BYTES, "/dev/fuse: %s; modprobe fuse, or run where the device "
                 "is passed in", strerror(errno));
        return HK_ENOTSUP;
    }
    status = mount_device(*device, folder, reason);
    if (status == HK_OK && passes)
        status = passthrough_probe(*device, reason);
    if (status != HK_OK)
        close(*device);
    return status;
}

/* Takes the device. */
static enum hk_status attach_session(struct fuse_session *session, const struct served *s)
{
    char at[32];

    if (s->backing >= 0)
        return fuse_session_custom_io(session, &completing, s->device) == 0 ? HK_OK : HK_EIO;
    snprintf(at, sizeof at, "/dev/fd/%d", s->device);
    return fuse_session_mount(session, at) == 0 ? HK_OK : HK_EIO;
}

/* Answers until the mount is gone. Takes the device. */
static enum hk_status answer(struct served *s)
{
    char program[] = "hkbench";
    char *arguments[] = {program, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
    struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, s);

    fuse_opt_free_args(&args);
    if (session == NULL)
        return HK_ENOMEM;
    enum hk_status status = attach_session(session, s);
    if (status == HK_OK && fuse_session_loop(session) < 0)
        status = HK_EIO;
    fuse_session_unmount(session);
    fuse_session_destroy(session);
    return status;
}

static enum hk_status fuse_serve(struct hk_file *file)
{
    char reason[HK_REASON_BYTES] = "";
    struct served served = {.file = file, .user = getuid(), .group = getgid(), .device = -1,
                            .backing = -1};
    const bool passes = file->options.cache == HK_FILE_PASSTHROUGH;
    int folder = -1;

    enum hk_status status = hk_file_memfs(file, &served.fs);
    if (status == HK_OK && passes)
        status = open_backing(&served);
    if (status == HK_OK)
        status = open_mount(passes, &served.device, &folder, reason);
    status = hk_handover_give(&file->handover, status, reason, &folder, 1);
    if (folder >= 0)
        close(folder); /* only the client keeps the mount alive */
    if (status == HK_OK)
        status = answer(&served);
    if (served.backing >= 0)
        close(served.backing);
    hk_memfs_destroy(served.fs);
    /* The client says that it is not available; here nothing broke. */
    return status == HK_ENOTSUP ? HK_OK : status;
}

static enum hk_status fuse_open(struct hk_file *file, char reason[HK_REASON_BYTES])
{
    enum hk_status status = hk_handover_take(&file->handover, &file->folder, 1, reason);

    if (status == HK_OK)
        status = hk_file_open_in_folder(file, false, reason);
    if (status == HK_EPERM && file->options.cache == HK_FILE_PASSTHROUGH) {
        snprintf(reason, HK_REASON_BYTES, "the kernel lets this server name no files; run as root");
        return HK_ENOTSUP;
    }
    return status;
}

const struct hk_file_service hk_file_service_fuse = {
    .name = "fuse",
    .summary = "the same file system in a server, behind FUSE",
    .caches = 1u << HK_FILE_KEPT | 1u << HK_FILE_DIRECT | 1u << HK_FILE_WRITEBACK |
              1u << HK_FILE_PASSTHROUGH,
    .splices = true,
    .server = true,
    .syscalls = 1,
    .open = fuse_open,
    .serve = fuse_serve,
    .run = hk_file_run_syscalls,
};
