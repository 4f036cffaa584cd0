/* SPDX-License-Identifier: MIT */
/*
 * One side of a duel: a measuring process that runs an epoch whenever it is asked to.
 *
 *   worker -> runner   ready OPERATION_NS STEP          warmed up; operations come in steps
 *   runner -> worker   epoch N                          run N operations
 *   worker -> runner   epoch ELAPSED_NS KEEP            KEEP 0: disturbed, on outside evidence
 *   runner -> worker   end
 *   worker -> runner   {"name": ...}                    the launch: did it do what it claims
 *
 * Text, because the two sides may be different builds; docs/decisions/0241 says more. Instead of
 * any answer of a worker its launch may come, with the reason why it cannot go on.
 */
#ifndef HK_RUN_EPOCHS_H
#define HK_RUN_EPOCHS_H

#include "experiment.h"

#define HK_EPOCHS_READY "ready"
#define HK_EPOCHS_EPOCH "epoch"
#define HK_EPOCHS_END   "end"

/*
 * Answer requests on task->channel_fd until the end, then verify; for a task that has entered.
 *
 * Servers that spin are stopped between epochs: they would burn the other side's CPU.
 *
 * Returns HK_OK; HK_EINVAL or HK_ENOTSUP with task->reason for a cell that does not run in
 * epochs; HK_EPEER when the runner is gone; HK_EPARSE for a request that is none; the status
 * of a failed operation.
 */
enum hk_status hk_epochs_measure(struct hk_task *task, struct hk_launch *launch);

#endif
