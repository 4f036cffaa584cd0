/* SPDX-License-Identifier: MIT */
#include "arch/x86_64/offsets.h"

#include "kernel/kernel.h"

#define SAME(number, type, member) \
    _Static_assert((number) == offsetof(struct type, member), #type "." #member)

SAME(CPU_CURRENT, hk_cpu, current);
SAME(CPU_EXIT_WORK, hk_cpu, exit_work);
SAME(CPU_HAND_OVER, hk_cpu, hand_over);
SAME(THREAD_STATE, hk_thread, state);
SAME(THREAD_FLAGS, hk_thread, flags);
SAME(THREAD_CAPS, hk_thread, caps);
SAME(THREAD_SPACE_ROOT, hk_thread, space_root);
SAME(THREAD_BUDGET, hk_thread, budget);
SAME(THREAD_CLIENT, hk_thread, client);
SAME(THREAD_SERVER, hk_thread, server);
SAME(THREAD_ENDPOINT, hk_thread, endpoint);
SAME(THREAD_RAX, hk_thread, frame.rax);
SAME(THREAD_RDI, hk_thread, frame.rdi);
SAME(THREAD_RSI, hk_thread, frame.word);
SAME(THREAD_R15 + 8, hk_thread, frame.rcx);
SAME(THREAD_R11, hk_thread, frame.r11);
SAME(THREAD_RIP, hk_thread, frame.rip);
SAME(THREAD_RSP, hk_thread, frame.rsp);
SAME(THREAD_RFLAGS, hk_thread, frame.rflags);
SAME(THREAD_OWN_BUDGET, hk_thread, own_budget);
SAME(CAP_OBJECT, hk_cap, object);
SAME(CAP_BADGE, hk_cap, badge);
SAME(CAP_RIGHTS, hk_cap, rights);
SAME(ENDPOINT_SLOT, hk_endpoint, slot);
SAME(ENDPOINT_INSTANCE, hk_endpoint, instance);
_Static_assert(sizeof(struct hk_cap) == 1 << CAP_SHIFT, "an entry is found by a shift");
_Static_assert(HK_HANDLE_COUNT * sizeof(struct hk_cap) == HK_PAGE_BYTES, "a table is one page");
_Static_assert(STATE_RUNNING == HK_THREAD_RUNNING, "state");
_Static_assert(STATE_RECEIVING == HK_THREAD_RECEIVING, "state");
_Static_assert(STATE_CALLED == HK_THREAD_CALLED, "state");
_Static_assert(NO_SUCH_CALL == HK_ENOSYS, "status");
_Static_assert(USER_RFLAGS == HK_USER_RFLAGS, "flags");
