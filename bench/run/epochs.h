/* SPDX-License-Identifier: MIT */
/*
 * One side of a duel: a measuring process that runs an epoch whenever it is asked to.
 *
 *   worker -> runner   ready OPERATION_NS STEP KNOWS    warmed up; operations come in steps
 *   runner -> worker   epoch N                          run N operations
 *   worker -> runner   epoch ELAPSED_NS KEEP            KEEP 0: disturbed, on outside evidence
 *   runner -> worker   single N                         run N operations one by one
 *   worker -> runner   single COUNT 1                   so many have been, up to now
 *   runner -> worker   end, or count                    count: count system calls too
 *   worker -> runner   {"name": ...}                    the launch: did it do what it claims
 *
 * KNOWS is what else may be asked, a sum of HK_EPOCHS_*; older builds do not send it, and are
 * asked for nothing of it. A cell that measures by itself answers "ready 1 0 KNOWS", waits for
 * "whole", and then measures all at once.
 *
 * Text, because the two sides may be different builds; docs/decisions/0241 says more. Instead of
 * any answer of a worker its launch may come, with the reason why it cannot go on.
 */
#ifndef HK_RUN_EPOCHS_H
#define HK_RUN_EPOCHS_H

#include "experiment.h"

#define HK_EPOCHS_READY "ready"
#define HK_EPOCHS_EPOCH "epoch"
#define HK_EPOCHS_SINGLE "single"
#define HK_EPOCHS_WHOLE "whole"
#define HK_EPOCHS_COUNT "count"
#define HK_EPOCHS_END   "end"

enum { HK_EPOCHS_KNOWS_COUNT = 1, HK_EPOCHS_KNOWS_SINGLE = 2, HK_EPOCHS_KNOWS_WHOLE = 4 };

/*
 * Answer requests on task->channel_fd until the end, then verify; for a task that has entered.
 *
 * Servers that spin are stopped between epochs: they would burn the other side's CPU.
 *
 * Returns HK_OK; HK_EINVAL or HK_ENOTSUP with task->reason for a cell that does not run in
 * epochs although it was asked for them; HK_EPEER when the runner is gone; HK_EPARSE for a request
 * that is none; the status of a failed operation.
 */
enum hk_status hk_epochs_measure(struct hk_task *task, struct hk_launch *launch);

#endif
