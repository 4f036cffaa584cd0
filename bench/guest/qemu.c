/* SPDX-License-Identifier: MIT */
#include "hk/guest/qemu.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fields.h"
#include "hk/base/units.h"

#define PROGRAM              "qemu-system-x86_64"
#define PACKAGE              "qemu-system-x86"
#define OUTPUT_BYTES_DEFAULT ((size_t)16 * HK_MIB)
#define OTHER_PLUGIN_API                                                                           \
    "this QEMU speaks another plugin interface; exact counts need QEMU 4.2 to 8.2 (Debian 12: "    \
    "apt install " PACKAGE ")"
#define STDERR_BYTES      4096u
#define MONITOR_BYTES     65536u
#define ARGUMENT_CAPACITY 48u
#define POLL_MS           100 /* how soon a stop request is seen */
#define VERSION_MS        10000u
#define MEMORY_MIB_MIN    4u
#define MEMORY_MIB_MAX    2048u /* the kernel maps its memory below the 32-bit hole */

static const struct {
    const char *name;
    const char *argument;
} machines[HK_QEMU_MACHINE_COUNT] = {
    [HK_QEMU_MICROVM] = {"microvm", "microvm,acpi=off"},
    [HK_QEMU_Q35] = {"q35", "q35"},
};

struct buffer {
    char *bytes;
    size_t count;
    size_t capacity;
    size_t line_start; /* of the line not yet offered */
};

struct child {
    pid_t pid;
    int pidfd;
    int out;    /* debug console */
    int err;    /* QEMU's own complaints */
    int counts; /* memory file the plugin writes; -1 without */
    int monitor[2]; /* of a held guest: our end, and QEMU's until it has it; -1 without */
    bool reaped;
    int wait_status;
    uint64_t started_ns;
    uint64_t released_ns;     /* 0 unless the guest was held */
    uint64_t first_output_ns; /* absolute, like started_ns; 0 until it comes */
    struct buffer text;
    struct buffer complaint;
    struct buffer said; /* by the monitor, until the guest was let go */
};

static const struct child no_child = {
    .pidfd = -1, .out = -1, .err = -1, .counts = -1, .monitor = {-1, -1}, .reaped = true};

struct arguments {
    size_t count;
    const char *word[ARGUMENT_CAPACITY];
    char *plugin;
    char memory[16];
    char gdb[24];
    char monitor[40];
};

enum hk_status hk_qemu_machine_find(const char *name, enum hk_qemu_machine *machine)
{
    for (size_t i = 0; i < HK_QEMU_MACHINE_COUNT; i++) {
        if (strcmp(name, machines[i].name) == 0) {
            *machine = (enum hk_qemu_machine)i;
            return HK_OK;
        }
    }
    return HK_ENOENT;
}

const char *hk_qemu_machine_name(enum hk_qemu_machine machine)
{
    return (unsigned)machine < HK_QEMU_MACHINE_COUNT ? machines[machine].name : "?";
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * HK_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* --- the command line ------------------------------------------------------ */

static void add(struct arguments *a, const char *word)
{
    a->word[a->count++] = word; /* the longest command line is well below the capacity */
}

static void add_pair(struct arguments *a, const char *option, const char *value)
{
    add(a, option);
    add(a, value);
}

/* QEMU splits option values at commas; a comma in a path is written twice. */
static void append_escaped(char *to, const char *path)
{
    to += strlen(to);
    for (; *path != '\0'; path++) {
        *to++ = *path;
        if (*path == ',') {
            *to++ = ',';
        }
    }
    *to = '\0';
}

static enum hk_status plugin_argument(const struct hk_qemu_options *o, int counts_fd, char **out)
{
    const bool linux_image = o->image == HK_QEMU_LINUX;
    const struct {
        const char *key;
        const char *path;
    } paths[] = {{"file=", o->plugin},
                 {",model=", o->model},
                 {",elf=", linux_image ? o->init : o->kernel},
                 {",programs=", linux_image ? NULL : o->programs},
                 {",from=", linux_image ? "arm" : NULL},
                 {",symbols=", linux_image ? "memo" : NULL},
                 {",trace=", o->trace}};
    size_t bytes = 64;
    char *text;

    for (size_t i = 0; i < HK_ARRAY_COUNT(paths); i++) {
        bytes += strlen(paths[i].key) + 2 * (paths[i].path != NULL ? strlen(paths[i].path) : 0);
    }
    text = calloc(1, bytes);
    if (text == NULL) {
        return HK_ENOMEM;
    }
    for (size_t i = 0; i < HK_ARRAY_COUNT(paths); i++) {
        if (paths[i].path != NULL) {
            strcat(text, paths[i].key);
            append_escaped(text, paths[i].path);
        }
    }
    /* the memory file is inherited, so QEMU finds it by its number */
    sprintf(text + strlen(text), ",out=/proc/self/fd/%d", counts_fd);
    *out = text;
    return HK_OK;
}

static enum hk_status arguments_build(const struct hk_qemu_options *o, const struct child *child,
                                      struct arguments *a)
{
    bool exact = o->clock == HK_QEMU_EXACT;

    *a = (struct arguments){0};
    if (o->plugin != NULL && plugin_argument(o, child->counts, &a->plugin) != HK_OK) {
        return HK_ENOMEM;
    }
    snprintf(a->memory, sizeof(a->memory), "%u", o->memory_mib);
    snprintf(a->gdb, sizeof(a->gdb), "tcp:127.0.0.1:%u", o->gdb_port);
    add(a, o->program != NULL ? o->program : PROGRAM);
    add_pair(a, "-machine", machines[o->machine].argument);
    add_pair(a, "-accel", exact ? "tcg" : "kvm");
    /* no random numbers of the host; arch-capabilities: hypervisors that pass the feature but not
     * its register abort QEMU */
    add_pair(a, "-cpu", exact ? "max,rdrand=off,rdseed=off" : "host,arch-capabilities=off");
    if (exact) {
        add_pair(a, "-icount", "shift=0,sleep=off");
        add_pair(a, "-rtc", "base=2026-01-01,clock=vm");
    }
    add_pair(a, "-m", a->memory);
    add(a, "-nodefaults");
    add(a, "-no-user-config");
    add(a, "-no-reboot");
    add_pair(a, "-display", "none");
    add_pair(a, "-device", "isa-debug-exit,iobase=0xf4,iosize=4");
    add_pair(a, "-debugcon", "stdio");
    add_pair(a, "-serial", "null"); /* the device that a driver of the guest drives */
    add_pair(a, "-kernel", o->kernel);
    if (o->programs != NULL) {
        add_pair(a, "-initrd", o->programs);
    }
    if (o->append != NULL) {
        add_pair(a, "-append", o->append);
    }
    if (a->plugin != NULL) {
        add_pair(a, "-plugin", a->plugin);
    }
    if (o->gdb_port != 0) {
        add_pair(a, "-gdb", a->gdb);
    }
    if (o->held) {
        snprintf(a->monitor, sizeof(a->monitor), "socket,id=monitor,fd=%d", child->monitor[1]);
        add_pair(a, "-chardev", a->monitor);
        add_pair(a, "-mon", "chardev=monitor,mode=control");
    }
    if (o->gdb_port != 0 || o->held) {
        add(a, "-S");
    }
    return HK_OK;
}

static enum hk_status options_check(const struct hk_qemu_options *o, char *error)
{
    if (o->memory_mib < MEMORY_MIB_MIN || o->memory_mib > MEMORY_MIB_MAX) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "guest memory must be %u to %u MiB, not %u",
                 MEMORY_MIB_MIN, MEMORY_MIB_MAX, o->memory_mib);
        return HK_EINVAL;
    }
    if (o->held && o->gdb_port != 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "a guest that waits for gdb is let go by nobody else");
        return HK_EINVAL;
    }
    if ((unsigned)o->machine >= HK_QEMU_MACHINE_COUNT ||
        (o->plugin != NULL && o->clock != HK_QEMU_EXACT)) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "counts need TCG and a known machine type");
        return HK_EINVAL;
    }
    return HK_OK;
}

static bool is_pvh_image(const unsigned char *head)
{
    Elf64_Ehdr header;

    memcpy(&header, head, sizeof(header));
    return memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
           header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64 &&
           header.e_type == ET_EXEC;
}

/* Documentation/arch/x86/boot.rst: the boot flag, and the magic of the setup header. */
static bool is_linux_image(const unsigned char *head)
{
    return head[0x1fe] == 0x55 && head[0x1ff] == 0xaa && memcmp(head + 0x202, "HdrS", 4) == 0;
}

/* QEMU takes what is no image of the kind for a BIOS or an old Linux and hangs: look before. */
static enum hk_status kernel_check(const struct hk_qemu_options *o, char *error)
{
    const bool linux_image = o->image == HK_QEMU_LINUX;
    unsigned char head[1024] = {0};
    int fd = open(o->kernel, O_RDONLY | O_CLOEXEC);
    ssize_t bytes;

    if (fd < 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "guest image %.300s: %s", o->kernel, strerror(errno));
        return HK_ENOENT;
    }
    bytes = read(fd, head, sizeof(head));
    close(fd);
    if (bytes == (ssize_t)sizeof(head) &&
        (linux_image ? is_linux_image(head) : is_pvh_image(head))) {
        return HK_OK;
    }
    snprintf(error, HK_QEMU_ERROR_BYTES, "guest image %.300s is corrupt or %s", o->kernel,
             linux_image ? "no Linux bzImage; name one such as /boot/vmlinuz-*"
                         : "no x86-64 kernel; build or install it again");
    return HK_EPARSE;
}

/* --- the process ----------------------------------------------------------- */

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

/* In the child: only calls that are safe after fork. Reports a failed exec through exec_error. */
static void child_exec(const struct arguments *a, const struct child *child, int out, int err,
                       int exec_error, pid_t parent)
{
    const int kept[] = {child->counts, child->monitor[1]};
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1); /* the parent died before the line above */
    }
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    for (size_t i = 0; i < HK_ARRAY_COUNT(kept); i++) {
        if (kept[i] >= 0) {
            fcntl(kept[i], F_SETFD, 0);
        }
    }
    execvp(a->word[0], (char *const *)(uintptr_t)a->word);
    int cause = errno;
    if (write(exec_error, &cause, sizeof(cause)) != sizeof(cause)) {
        _exit(2);
    }
    _exit(1);
}

static enum hk_status exec_failed(const char *program, int cause, char *error)
{
    if (cause == ENOENT) {
        snprintf(error, HK_QEMU_ERROR_BYTES,
                 "%.200s is not installed; Debian: apt install " PACKAGE, program);
        return HK_ENOTSUP;
    }
    snprintf(error, HK_QEMU_ERROR_BYTES, "%.200s cannot be started: %s", program, strerror(cause));
    return HK_EIO;
}

static enum hk_status child_start(const struct arguments *a, struct child *child, char *error)
{
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    int failed[2] = {-1, -1};
    enum hk_status status = HK_EIO;
    pid_t parent = getpid();
    int cause = 0;

    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "no pipe to QEMU: %s", strerror(errno));
        goto done;
    }
    child->started_ns = now_ns();
    child->pid = fork();
    if (child->pid == 0) {
        child_exec(a, child, out[1], err[1], failed[1], parent);
    }
    if (child->pid < 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "no process for QEMU: %s", strerror(errno));
        goto done;
    }
    child->reaped = false;
    child->out = out[0];
    child->err = err[0];
    out[0] = err[0] = -1;
    close(failed[1]);
    failed[1] = -1;
    close_if_open(child->monitor[1]);
    child->monitor[1] = -1;
    status = HK_OK;
    if (read(failed[0], &cause, sizeof(cause)) == sizeof(cause)) {
        status = exec_failed(a->word[0], cause, error);
        goto done;
    }
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->pidfd < 0) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "QEMU cannot be watched: %s", strerror(errno));
        status = HK_EIO;
    }
done:
    for (int i = 0; i < 2; i++) {
        close_if_open(out[i]);
        close_if_open(err[i]);
        close_if_open(failed[i]);
    }
    return status;
}

static void child_reap(struct child *child)
{
    while (!child->reaped && waitpid(child->pid, &child->wait_status, 0) < 0 && errno == EINTR) {
    }
    child->reaped = true;
}

static void child_fini(struct child *child)
{
    if (!child->reaped) {
        kill(child->pid, SIGKILL);
        child_reap(child);
    }
    close_if_open(child->pidfd);
    close_if_open(child->out);
    close_if_open(child->err);
    close_if_open(child->counts);
    close_if_open(child->monitor[0]);
    close_if_open(child->monitor[1]);
    free(child->text.bytes);
    free(child->complaint.bytes);
    free(child->said.bytes);
}

/* --- its output ------------------------------------------------------------ */

/* Reads once. HK_EEMPTY at the end of the stream, HK_ETOOBIG when limit bytes are full. */
static enum hk_status buffer_read(struct buffer *b, int fd, size_t limit)
{
    size_t room = b->capacity - b->count;
    ssize_t got;

    if (b->count >= limit) {
        return HK_ETOOBIG;
    }
    if (room < 2) {
        size_t bigger = b->capacity == 0 ? 4096 : 2 * b->capacity;
        char *bytes = realloc(b->bytes, bigger);

        if (bytes == NULL) {
            return HK_ENOMEM;
        }
        b->bytes = bytes;
        b->bytes[b->count] = '\0';
        b->capacity = bigger;
        room = bigger - b->count;
    }
    got = read(fd, b->bytes + b->count, room - 1);
    if (got <= 0) {
        return got < 0 && errno == EINTR ? HK_OK : HK_EEMPTY;
    }
    b->count += (size_t)got;
    b->bytes[b->count] = '\0';
    return HK_OK;
}

static void lines_offer(const struct hk_qemu_options *o, struct buffer *b)
{
    const char *line;
    size_t bytes;

    while (o->on_line != NULL && hk_line_next(b->bytes, b->count, &b->line_start, &line, &bytes)) {
        b->bytes[(size_t)(line - b->bytes) + bytes] = '\0';
        o->on_line(o->user, line);
        b->bytes[(size_t)(line - b->bytes) + bytes] = '\n';
    }
}

/* The last whole or begun line of what the guest printed, shortened for a message. */
static const char *last_line(struct buffer *b)
{
    size_t end = b->count;
    size_t start;

    while (end > 0 && b->bytes[end - 1] == '\n') {
        b->bytes[--end] = '\0';
    }
    for (start = end; start > 0 && b->bytes[start - 1] != '\n'; start--) {
    }
    return end == 0 ? "(nothing)" : b->bytes + start;
}

static enum hk_status stream_read(struct child *child, const struct hk_qemu_options *o,
                                  const struct pollfd *p, size_t limit, char *error)
{
    enum hk_status status;

    if (p->revents == 0) {
        return HK_OK;
    }
    if (p->fd == child->err) {
        status = buffer_read(&child->complaint, child->err, STDERR_BYTES);
        if (status != HK_OK) { /* the first lines name the cause: the rest may go */
            close(child->err);
            child->err = -1;
        }
        return HK_OK;
    }
    status = buffer_read(&child->text, child->out, limit);
    if (child->first_output_ns == 0 && child->text.count > 0) {
        child->first_output_ns = now_ns();
    }
    lines_offer(o, &child->text);
    if (status == HK_EEMPTY) {
        close(child->out);
        child->out = -1;
        return HK_OK;
    }
    if (status == HK_ETOOBIG) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "the guest printed more than %zu bytes", limit);
    }
    return status;
}

/* QEMU's machine protocol (QMP): what opens it, and what is answered when the machine is made. */
static const char held_question[] =
    "{\"execute\": \"qmp_capabilities\"}\n{\"execute\": \"query-status\"}\n";

static enum hk_status monitor_say(const struct child *child, const char *command, char *error)
{
    const ssize_t bytes = (ssize_t)strlen(command);

    if (send(child->monitor[0], command, (size_t)bytes, MSG_NOSIGNAL) == bytes ||
        errno == EPIPE || errno == ECONNRESET) { /* QEMU is gone: how, its end says */
        return HK_OK;
    }
    snprintf(error, HK_QEMU_ERROR_BYTES, "QEMU's monitor takes no command: %s", strerror(errno));
    return HK_EIO;
}

/*
 * QEMU has said something on its monitor. The greeting comes while the machine is still being made;
 * the question that was asked with the start is answered when all is there and the guest waits.
 */
static enum hk_status guest_release(struct child *child, char *error)
{
    enum hk_status status = buffer_read(&child->said, child->monitor[0], MONITOR_BYTES);

    if (status == HK_EEMPTY) { /* QEMU is gone: how, its end says */
        close(child->monitor[0]);
        child->monitor[0] = -1;
        return HK_OK;
    }
    if (status != HK_OK || strstr(child->said.bytes, "\"running\"") == NULL) {
        return status;
    }
    child->released_ns = now_ns();
    return monitor_say(child, "{\"execute\": \"cont\"}\n", error); /* its answer has room */
}

/* Follow both streams until QEMU has ended and they are empty, or the deadline or a stop comes. */
static enum hk_status child_follow(struct child *child, const struct hk_qemu_options *o,
                                   char *error)
{
    size_t limit = o->output_bytes != 0 ? o->output_bytes : OUTPUT_BYTES_DEFAULT;
    uint64_t deadline_ns = child->started_ns + (uint64_t)o->timeout_ms * HK_NS_PER_MS;
    enum hk_status status;

    while (child->out >= 0 || !child->reaped) {
        struct pollfd p[] = {{.fd = child->out, .events = POLLIN},
                             {.fd = child->err, .events = POLLIN},
                             {.fd = child->reaped ? -1 : child->pidfd, .events = POLLIN},
                             {.fd = child->released_ns == 0 ? child->monitor[0] : -1,
                              .events = POLLIN}};

        if (o->stop != NULL && *o->stop != 0) {
            snprintf(error, HK_QEMU_ERROR_BYTES, "stopped while the guest was running");
            return HK_EINTR;
        }
        if (o->timeout_ms != 0 && now_ns() >= deadline_ns) {
            snprintf(error, HK_QEMU_ERROR_BYTES,
                     "the guest did not finish within %u ms and was "
                     "killed; its last line: %.200s",
                     o->timeout_ms, last_line(&child->text));
            return HK_ETIMEOUT;
        }
        if (poll(p, HK_ARRAY_COUNT(p), POLL_MS) < 0 && errno != EINTR) {
            return HK_EIO;
        }
        for (int i = 0; i < 2; i++) {
            status = stream_read(child, o, &p[i], limit, error);
            if (status != HK_OK) {
                return status;
            }
        }
        if (p[2].revents != 0) {
            child_reap(child);
        }
        if (p[3].revents != 0 && (status = guest_release(child, error)) != HK_OK) {
            return status;
        }
    }
    return HK_OK;
}

/* --- how it ended ---------------------------------------------------------- */

/* Parts of QEMU's messages that have a remedy of ours; the rest is passed on. */
static const struct {
    const char *text;
    enum hk_status status;
    const char *remedy;
} complaints[] = {
    {"plugin requires API version", HK_ENOTSUP, OTHER_PLUGIN_API}, /* said by QEMU */
    {"this QEMU speaks plugin API", HK_ENOTSUP, OTHER_PLUGIN_API}, /* said by the plugin */
    {"plugin interface", HK_ENOTSUP, "this QEMU was built without plugins"},
    {"invalid accelerator kvm", HK_ENOTSUP, "this QEMU was built without KVM"},
    {"failed to initialize kvm", HK_ENOTSUP, "KVM cannot be used here"},
    {"access KVM kernel module", HK_ENOTSUP, "KVM cannot be used here"},
    {"cannot set up guest memory", HK_ENOMEM,
     "this machine has too little free memory for the guest"},
};

static enum hk_status complaint_status(struct child *child, char *error)
{
    const char *text = child->complaint.count > 0 ? child->complaint.bytes : "no reason given";
    int bytes = (int)strcspn(text, "\n");

    for (size_t i = 0; i < HK_ARRAY_COUNT(complaints); i++) {
        if (strcasestr(text, complaints[i].text) != NULL) {
            snprintf(error, HK_QEMU_ERROR_BYTES, "%s (%.*s)", complaints[i].remedy,
                     bytes < 200 ? bytes : 200, text);
            return complaints[i].status;
        }
    }
    snprintf(error, HK_QEMU_ERROR_BYTES, "QEMU refused to run: %.*s", bytes < 300 ? bytes : 300,
             text);
    return HK_EIO;
}

static enum hk_status end_classify(struct child *child, struct hk_qemu_result *result, char *error)
{
    int code = WIFEXITED(child->wait_status) ? WEXITSTATUS(child->wait_status) : 0;

    if (WIFSIGNALED(child->wait_status)) {
        snprintf(error, HK_QEMU_ERROR_BYTES,
                 "QEMU was killed by signal %d (%s); its last words: "
                 "%.150s; the guest's: %.150s",
                 WTERMSIG(child->wait_status), strsignal(WTERMSIG(child->wait_status)),
                 last_line(&child->complaint), last_line(&child->text));
        return HK_EPEER;
    }
    if (code == 1 && child->text.count == 0) { /* before the guest ran: QEMU's own failure */
        return complaint_status(child, error);
    }
    /* the exit device gives 2 v + 1; 0 is a reset or power-off without it */
    result->exited = (code & 1) != 0;
    result->exit_value = (uint8_t)(code >> 1);
    return HK_OK;
}

static enum hk_status counts_take(int fd, struct hk_qemu_result *result)
{
    struct stat st;
    size_t got = 0;

    if (fd < 0) {
        return HK_OK;
    }
    if (fstat(fd, &st) != 0) {
        return HK_EIO;
    }
    result->counts = malloc((size_t)st.st_size + 1);
    if (result->counts == NULL) {
        return HK_ENOMEM;
    }
    while (got < (size_t)st.st_size) {
        ssize_t n = pread(fd, result->counts + got, (size_t)st.st_size - got, (off_t)got);

        if (n <= 0) {
            break;
        }
        got += (size_t)n;
    }
    result->counts[got] = '\0';
    result->counts_bytes = got;
    return HK_OK;
}

static enum hk_status run_child(const struct hk_qemu_options *o, const struct arguments *a,
                                struct child *child, struct hk_qemu_result *result, char *error)
{
    enum hk_status status = child_start(a, child, error);

    if (status == HK_OK && o->held) {
        status = monitor_say(child, held_question, error);
    }
    if (status == HK_OK) {
        status = child_follow(child, o, error);
    }
    if (status == HK_OK) {
        result->released_ns = child->released_ns;
        result->wall_ns = now_ns() - child->started_ns;
        result->first_output_ns =
            child->first_output_ns != 0 ? child->first_output_ns - child->started_ns : 0;
        status = end_classify(child, result, error);
    }
    if (status == HK_OK) {
        status = counts_take(child->counts, result);
    }
    if (status == HK_OK && child->text.bytes == NULL) { /* a guest that printed nothing */
        child->text.bytes = calloc(1, 1);
        status = child->text.bytes != NULL ? HK_OK : HK_ENOMEM;
    }
    return status;
}

enum hk_status hk_qemu_run(const struct hk_qemu_options *options, struct hk_qemu_result *result,
                           char error[HK_QEMU_ERROR_BYTES])
{
    struct child child = no_child;
    struct hk_qemu_result found = {0};
    struct arguments arguments;
    enum hk_status status = options_check(options, error);

    if (status == HK_OK) {
        status = kernel_check(options, error);
    }
    if (status != HK_OK) {
        return status;
    }
    snprintf(error, HK_QEMU_ERROR_BYTES,
             "the guest could not be run"); /* unless a cause is known */
    if (options->plugin != NULL) {
        child.counts = memfd_create("hkbench-counts", MFD_CLOEXEC);
        if (child.counts < 0) {
            return HK_EIO;
        }
    }
    if (options->held &&
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, child.monitor) != 0) {
        status = HK_EIO;
    }
    if (status == HK_OK) {
        status = arguments_build(options, &child, &arguments);
    }
    if (status == HK_OK) {
        status = run_child(options, &arguments, &child, &found, error);
        free(arguments.plugin);
    }
    if (status == HK_OK) {
        found.text = child.text.bytes;
        found.text_bytes = child.text.count;
        child.text.bytes = NULL;
        *result = found;
    } else {
        hk_qemu_result_fini(&found);
    }
    child_fini(&child);
    return status;
}

void hk_qemu_result_fini(struct hk_qemu_result *result)
{
    free(result->text);
    free(result->counts);
    *result = (struct hk_qemu_result){0};
}

enum hk_status hk_qemu_version(const char *program, char version[32],
                               char error[HK_QEMU_ERROR_BYTES])
{
    static const char marker[] = "QEMU emulator version ";
    const struct hk_qemu_options options = {.timeout_ms = VERSION_MS};
    const struct arguments arguments = {.count = 2,
                                        .word = {program != NULL ? program : PROGRAM, "--version"}};
    struct child child = no_child;
    enum hk_status status = child_start(&arguments, &child, error);
    const char *found = NULL;

    if (status == HK_OK) {
        status = child_follow(&child, &options, error);
    }
    if (status == HK_OK && child.text.count > 0) {
        found = strstr(child.text.bytes, marker);
    }
    if (status == HK_OK && found == NULL) {
        snprintf(error, HK_QEMU_ERROR_BYTES, "%.200s does not answer like QEMU", arguments.word[0]);
        status = HK_EPARSE;
    }
    if (status == HK_OK) {
        found += strlen(marker);
        snprintf(version, 32, "%.*s", (int)strspn(found, "0123456789."), found);
    }
    child_fini(&child);
    return status;
}
