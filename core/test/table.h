/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own table of tests. The rows run hosted, under sanitizers, and
 * booted, on the machine's kernel; they use neither libc nor user programs: a test
 * makes system calls in the name of threads that never run.
 */
#ifndef HK_TEST_TABLE_H
#define HK_TEST_TABLE_H

#include "kernel/kernel.h"

#define HK_TEST_PAGES 6 /* writable pages of a test process, from HK_USER_BASE */

struct hk_test {
    struct hk_cpu *cpu;
    const char *failed; /* first expectation that did not hold, or NULL */
    const char *file;
    uint32_t line;
};

struct hk_test_row {
    const char *name;
    void (*run)(struct hk_test *test);
};

/* Tables by file; each ends with a row without a name. */
extern const struct hk_test_row hk_test_pages[];
extern const struct hk_test_row hk_test_messages[];
extern const struct hk_test_row hk_test_signals[];
extern const struct hk_test_row hk_test_memory[];
extern const struct hk_test_row hk_test_services[];
extern const struct hk_test_row hk_test_policy[];
extern const struct hk_test_row hk_test_pager[];
extern const struct hk_test_row hk_test_io[];
extern const struct hk_test_row *const hk_test_tables[];

/*
 * Run one row on a kernel that nothing else uses, and look for leaks after it.
 *
 * test  [out]  failed is NULL when everything held
 */
void hk_test_run(struct hk_cpu *cpu, const struct hk_test_row *row, struct hk_test *test);

/* A process with one thread and HK_TEST_PAGES pages; NULL and a failed test without memory. */
struct hk_thread *hk_test_thread(struct hk_test *test, const char *name);

/* A system call of a thread that does not sleep. */
hk_result hk_test_call(struct hk_test *test, struct hk_thread *thread, enum hk_syscall number,
                       uint64_t a, uint64_t b, uint64_t c, uint64_t d);
hk_result hk_test_call5(struct hk_test *test, struct hk_thread *thread, enum hk_syscall number,
                        uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);

/* A thread touches an address without being allowed to: its pager is asked, or its process ends. */
void hk_test_fault(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                   uint64_t access);

/* A rendezvous of a thread, with up to three words: tag and rdi as in abi.h. */
void hk_test_ipc(struct hk_test *test, struct hk_thread *thread, int64_t tag, uint64_t handle,
                 uint64_t w0, uint64_t w1, uint64_t w2);

/* Whether a thread sleeps; if not, the result of its last call. */
bool hk_test_asleep(const struct hk_thread *thread);
hk_result hk_test_result(const struct hk_thread *thread);

/* Give a handle's object to another thread's process. Returns the handle there. */
uint64_t hk_test_share(struct hk_test *test, struct hk_thread *from, uint64_t handle,
                       struct hk_thread *to, uint64_t rights);

/* Fill and compare user memory: byte i has the value start + i. */
void hk_test_fill(struct hk_test *test, struct hk_thread *thread, uint64_t address, uint64_t bytes,
                  uint32_t start);
bool hk_test_filled(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                    uint64_t bytes, uint32_t start);
/* Put text there, and see whether it is there. */
void hk_test_put(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                 const char *text);
bool hk_test_there(struct hk_test *test, struct hk_thread *thread, uint64_t address,
                   const char *text);

/* End the process of a thread. */
void hk_test_end(struct hk_test *test, struct hk_thread *thread);

void hk_test_fail(struct hk_test *test, const char *what, const char *file, uint32_t line);

/* Stops the test at the first expectation that does not hold. */
#define HK_EXPECT(test, condition)                                   \
    do {                                                             \
        if (!(condition)) {                                          \
            hk_test_fail(test, #condition, __FILE__, __LINE__);      \
            return;                                                  \
        }                                                            \
    } while (0)

#endif
