/**
 * uvawait: async/await for C, on libuv.
 *
 * Tasks are written top to bottom and wait without blocking; each runs on a
 * small stack of its own, switched in assembly, and all of them ride on one
 * uv_loop_t. This header pulls in the whole API; each part can be included on
 * its own as well.
 *
 * The rules that hold everywhere (docs/DESIGN.md has their reasons):
 *
 *   R1   A call returns >= 0 for success and < 0 for a libuv error code (or a
 *        negative code of the caller's own). errno is never the channel.
 *   R2   One handle type: a future. A task is a future that a function
 *        computes; a coroutine is a task that has not been started.
 *   R3   A call that waits for a future takes it: the caller's reference is
 *        gone afterwards, whatever is returned. uva_ref() keeps one. Calls
 *        marked "borrowed" do not take.
 *   R4   NULL stands for a future that failed with UV_ENOMEM.
 *   R5   A call that need not wait does not switch tasks. A call that would
 *        park while its task is cancelled returns UV_ECANCELED instead.
 *   R6   An operation either took effect or returned an error, never both.
 *        Order when things meet: completed > cancelled > timed out.
 *   R7   Cancellation is level-triggered: it lasts until the task ends, the
 *        scope is left, a shield is open, or uva_uncancel() takes it back.
 *   R8   A combinator returns only when every child it was given has ended.
 *   R9   libuv never keeps a pointer into memory of a caller that returned.
 *   R10  A task never leaves the thread of its loop. Only functions marked
 *        "any thread" may be called from elsewhere.
 *   R11  Durations are milliseconds in uint64_t; UVA_FOREVER is no limit.
 *   R12  Waking is first come, first served everywhere.
 *   R13  Misuse that can be survived returns UV_EPERM or UV_EBUSY and is
 *        reported; a broken invariant aborts with advice.
 *   R14  A deadlock is reported with a dump of all tasks.
 */
#ifndef UVAWAIT_H
#define UVAWAIT_H

#include "uvawait/as_completed.h"
#include "uvawait/awaitable.h"
#include "uvawait/barrier.h"
#include "uvawait/base.h"
#include "uvawait/broadcast.h"
#include "uvawait/capacity_limiter.h"
#include "uvawait/channel.h"
#include "uvawait/combine.h"
#include "uvawait/condition.h"
#include "uvawait/custom_stream.h"
#include "uvawait/dir.h"
#include "uvawait/event.h"
#include "uvawait/fs.h"
#include "uvawait/fs_event.h"
#include "uvawait/future.h"
#include "uvawait/generator.h"
#include "uvawait/group.h"
#include "uvawait/handle_passing.h"
#include "uvawait/inspect.h"
#include "uvawait/local.h"
#include "uvawait/lock.h"
#include "uvawait/lookup.h"
#include "uvawait/memory_stream.h"
#include "uvawait/once.h"
#include "uvawait/open_fd.h"
#include "uvawait/poll.h"
#include "uvawait/process.h"
#include "uvawait/queue.h"
#include "uvawait/rate_limiter.h"
#include "uvawait/runtime.h"
#include "uvawait/rwlock.h"
#include "uvawait/scope.h"
#include "uvawait/select.h"
#include "uvawait/semaphore.h"
#include "uvawait/sendfile.h"
#include "uvawait/serve.h"
#include "uvawait/signal.h"
#include "uvawait/stream.h"
#include "uvawait/stream_options.h"
#include "uvawait/task.h"
#include "uvawait/thread.h"
#include "uvawait/thread_channel.h"
#include "uvawait/thread_event.h"
#include "uvawait/time.h"
#include "uvawait/tty.h"
#include "uvawait/udp.h"
#include "uvawait/version.h"
#include "uvawait/wait_group.h"
#include "uvawait/watch.h"
#include "uvawait/whole_file.h"

#endif
