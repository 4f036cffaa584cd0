/* SPDX-License-Identifier: MIT */
/*
 * What a program of the kernel core is written against: system call stubs,
 * rendezvous stubs, and lines for the host. There is no libc.
 */
#ifndef HK_USER_USER_H
#define HK_USER_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hk/base/abi.h"
#include "hk/base/status.h"
#include "hk/base/units.h"

/* A program's entry; the result is its exit code. */
int main(uint64_t argument, uint64_t *ipc_page);

/* A general system call with up to five arguments. */
static inline int64_t hk_syscall5(enum hk_syscall number, uint64_t a, uint64_t b, uint64_t c,
                                  uint64_t d, uint64_t e)
{
    int64_t result = number;
    register uint64_t r10 __asm__("r10") = c;
    register uint64_t r8 __asm__("r8") = d;
    register uint64_t r9 __asm__("r9") = e;

    __asm__ volatile("syscall"
                     : "+a"(result), "+S"(a), "+d"(b), "+r"(r10), "+r"(r8), "+r"(r9)
                     :
                     : "rdi", "rcx", "r11", "memory");
    return result;
}

static inline int64_t hk_syscall(enum hk_syscall number, uint64_t a, uint64_t b, uint64_t c)
{
    return hk_syscall5(number, a, b, c, 0, 0);
}

static inline int64_t hk_syscall0(enum hk_syscall number)
{
    int64_t result = number;

    __asm__ volatile("syscall"
                     : "+a"(result)
                     :
                     : "rdi", "rsi", "rdx", "r8", "r9", "r10", "rcx", "r11", "memory");
    return result;
}

/* Every message register but those of the first two words. */
#define HK_CLOBBERED_BY_SHORT \
    "rcx", "r8", "r9", "r10", "r11", "rbx", "rbp", "r12", "r13", "r14", "r15", "memory"

/*
 * Call with up to two words; they are replaced by the reply's.
 *
 * handle  [in]  endpoint
 * words   [in]  0 to 2
 *
 * Returns the reply's length in words, or a status.
 */
static inline int64_t hk_call(uint64_t handle, uint64_t words, uint64_t *w0, uint64_t *w1)
{
    int64_t tag = (int64_t)words;
    uint64_t badge = handle;

    __asm__ volatile("syscall"
                     : "+a"(tag), "+D"(badge), "+S"(*w0), "+d"(*w1)
                     :
                     : HK_CLOBBERED_BY_SHORT);
    return tag;
}

/* Wait at an endpoint for a message of up to two words, by the class in tag; see abi.h. */
static inline int64_t hk_wait_message(int64_t tag, uint64_t handle, uint64_t *badge, uint64_t *w0,
                                      uint64_t *w1)
{
    *badge = handle;
    __asm__ volatile("syscall"
                     : "+a"(tag), "+D"(*badge), "+S"(*w0), "+d"(*w1)
                     :
                     : HK_CLOBBERED_BY_SHORT);
    return tag;
}

/*
 * Reply to the client served with up to two words, and wait for the next message.
 *
 * badge   [out] of the next sender
 *
 * Returns the next message's length in words, or a status.
 */
static inline int64_t hk_reply_wait(uint64_t handle, uint64_t words, uint64_t *badge,
                                    uint64_t *w0, uint64_t *w1)
{
    return hk_wait_message(HK_IPC_REPLY_WAIT + (int64_t)words, handle, badge, w0, w1);
}

/*
 * Call with eleven words, all in registers, of which `words` count. The reply's
 * first two words replace *w0 and *w1; use hk_user_ipc() for a long reply.
 *
 * words  [in]  5 to 11
 */
static inline int64_t hk_call_long(uint64_t handle, uint64_t words,
                                   const uint64_t word[HK_MESSAGE_REGISTER_WORDS], uint64_t *w0,
                                   uint64_t *w1)
{
    int64_t tag = HK_IPC_CALL_LONG + (int64_t)words;

    /* rcx points to the words, since the system call loses it anyway */
    __asm__ volatile("mov 0(%%rcx), %%rsi\n\t"
                     "mov 8(%%rcx), %%rdx\n\t"
                     "mov 16(%%rcx), %%r8\n\t"
                     "mov 24(%%rcx), %%r9\n\t"
                     "mov 32(%%rcx), %%r10\n\t"
                     "mov 40(%%rcx), %%rbx\n\t"
                     "mov 48(%%rcx), %%rbp\n\t"
                     "mov 56(%%rcx), %%r12\n\t"
                     "mov 64(%%rcx), %%r13\n\t"
                     "mov 72(%%rcx), %%r14\n\t"
                     "mov 80(%%rcx), %%r15\n\t"
                     "syscall"
                     : "+a"(tag), "+D"(handle), "+c"(word), "=S"(*w0), "=d"(*w1)
                     :
                     : "r8", "r9", "r10", "r11", "rbx", "rbp", "r12", "r13", "r14", "r15",
                       "memory");
    return tag;
}

/*
 * Any rendezvous with any number of words: those beyond the registers in the IPC
 * page. handle becomes the badge. Source of the rules: hk/base/abi.h.
 */
int64_t hk_user_ipc(int64_t tag, uint64_t *handle, uint64_t word[HK_MESSAGE_REGISTER_WORDS]);

/* The fastest class that takes so many words. */
static inline int64_t hk_call_class(uint64_t words)
{
    if (words <= HK_MESSAGE_SHORT_WORDS)
        return HK_IPC_CALL;
    return words <= HK_MESSAGE_REGISTER_WORDS ? HK_IPC_CALL_LONG : HK_IPC_CALL_ANY;
}

static inline int64_t hk_reply_wait_class(uint64_t words)
{
    if (words <= HK_MESSAGE_SHORT_WORDS)
        return HK_IPC_REPLY_WAIT;
    return words <= HK_MESSAGE_REGISTER_WORDS ? HK_IPC_REPLY_WAIT_LONG : HK_IPC_REPLY_WAIT_ANY;
}

/* Memory that is not there by itself: lent, or a pager's. */
static inline uint64_t hk_user_read(uint64_t address)
{
    return *(const volatile uint64_t *)address;
}

static inline void hk_user_write(uint64_t address, uint64_t value)
{
    *(volatile uint64_t *)address = value;
}

/* A line for the host, built piece by piece and written by hk_line_end(). */
struct hk_line {
    char text[1024]; /* the longest is a workload's row with all services */
    uint32_t bytes;
};

/* Start a line of this kind: "log", "row", "value", "absent", "fail". */
void hk_line_begin(struct hk_line *line, const char *kind);
void hk_line_text(struct hk_line *line, const char *text);
void hk_line_number(struct hk_line *line, uint64_t number);
/* " key=number" */
void hk_line_field(struct hk_line *line, const char *key, uint64_t number);
void hk_line_end(struct hk_line *line);

/* One whole line. */
void hk_say(const char *kind, const char *text);

size_t hk_text_bytes(const char *text);
bool hk_text_equal(const char *a, const char *b, size_t bytes);

/* Value of key=value in the command line, cut to capacity - 1; false when it is missing. */
bool hk_boot_value(const char *key, char *value, size_t capacity);

#endif
