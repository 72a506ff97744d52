/**
 * Runtimes: one per loop, one loop per thread.
 *
 * uva_run() is for programs: it brings a loop of its own. A server that owns
 * a uv_loop_t uses uva_runtime_attach() and goes on running its loop itself.
 */
#ifndef UVAWAIT_RUNTIME_H
#define UVAWAIT_RUNTIME_H

#include "base.h"

UVA_BEGIN_DECLS

typedef enum {
    UVA_CLOCK_REAL = 0,
    /* Starts at 0 and jumps to the next deadline when nothing is ready and
     * nothing is in flight: no request on the loop or the thread pool, and no
     * active, referenced handle of the host's. Open streams and listeners of
     * this library do not hold it up. */
    UVA_CLOCK_VIRTUAL
} uva_clock_t;

/* All zero is the default of everything. */
typedef struct uva_options {
    /* Address space of a task's stack in bytes; 0 is 256 KiB. Memory is used
     * page by page as a task first touches it. */
    size_t stack_bytes;
    uva_clock_t clock;
    /* 0: tasks run first in, first out. Else a random order, the same again
     * for the same seed. */
    uint64_t schedule_seed;
    /* Reports slow tasks, and keeps stack high-water marks by spawn site. With
     * the real clock a thread, the watchdog, looks twice in slow_task_ms
     * whether a task blocks the loop, and reports it while it does, with a
     * backtrace; and again when it has lasted ten times as long (`addr2line -e
     * PROGRAM 0x128c` turns a "(PROGRAM+0x128c)" of it into file and line). A
     * thread that waits in a system call is not disturbed for it. One that
     * computes gets SIGURG, if that has no handler: it is set for that moment
     * only, with SA_RESTART, on an alternate stack, which the thread gets if it
     * has none. A wait that begins in just that moment may end with EINTR. Who
     * wants no signal has a handler; one that is blocked is pending for 0.2 s
     * at the most, and forgotten. */
    bool debug;
    /* With debug: report a task that ran this long without parking; 0: 100. */
    uint64_t slow_task_ms;
    /* Receives every warning, one text without a newline at its end (there may
     * be some inside), in the thread of the runtime; but what the watchdog has
     * to say of a task that blocks that thread, in the watchdog's. Never two at
     * a time: a hook that blocks holds the other up, and the runtime's end
     * waits for it. It must not park, nor wait for the runtime's thread: that
     * may be waiting for the hook, so no uva_call() (uva_post() is fine). NULL:
     * stderr. What a thread without a runtime does wrong is written to stderr
     * in any case. */
    void (*report)(void *arg, const char *text);
    void *report_arg;
    /* Under uva_runtime_attach: name the task when its stack overflows. This
     * installs a SIGSEGV handler for the process, which chains to the host's,
     * so a host has to ask for it; uva_run always does it. */
    bool report_overflow;
    /* uva_run only: SIGINT and SIGTERM cancel main; if main ends with
     * UV_ECANCELED for it, uva_run returns UV_EINTR. From the first of them on,
     * and when main has ended, what was in force before is in force again, so
     * normally a second Ctrl-C kills the program. A signal that the process
     * ignores stays ignored. uva_sleep(UVA_FOREVER) sleeps until one comes. */
    bool handle_signals;
    /* With debug: do not guess what could run at once. Where a task or
     * coroutine awaits, one after the other, eight coroutines or fresh tasks of
     * one place, all with other arguments, which all waited, that is reported
     * once. It is a guess: each may need what the one before gave. An async
     * function that UVA_TRY() or UVA_AWAIT() runs in place is not seen. */
    bool no_hints;
} uva_options_t;

/**
 * Runs `main` as the first task of a loop of its own, until it has ended.
 *
 * Tasks still pending when main ends are reported, cancelled and awaited;
 * then everything is freed. While it runs, a stack overflow in a task is
 * reported by the task's name (a SIGSEGV handler, put back afterwards).
 *
 * Context:  a thread without a runtime
 * Parks:    never (it blocks the thread)
 * Cancel:   –
 * Returns:  main's code; UV_EBUSY inside a runtime of this thread (reported);
 *           UV_EINVAL for a NULL main; UV_ENOMEM, UV_EMFILE and what else
 *           uv_loop_init() gives
 * Owns:     arg borrowed until return
 * Since:    0.1
 */
UVA_API int uva_run(uva_fn main, void *arg);

/**
 * uva_run() with options; NULL options are the defaults.
 *
 * Context:  a thread without a runtime
 * Parks:    never (it blocks the thread)
 * Cancel:   –
 * Returns:  as uva_run(); UV_EINTR when a signal has ended main, see
 *           handle_signals
 * Owns:     options borrowed during the call, arg until return
 * Since:    0.1
 */
UVA_API int uva_run_with(const uva_options_t *options, uva_fn main, void *arg);

/**
 * Makes a runtime that rides on `loop`, which the host owns and runs.
 *
 * The loop is kept alive while tasks live and not a moment longer. Tasks run
 * from hooks of the loop, never inside a callback of the host's.
 *
 * Context:  the thread that runs loop, in a callback or outside
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EBUSY when the thread has a runtime already; UV_EINVAL for a
 *           NULL loop; UV_ENOMEM and what else libuv's init functions give
 * Owns:     loop borrowed until detach is done; *ret_runtime borrowed, valid
 *           until then (uva_runtime_ref() keeps it longer)
 * Since:    0.1
 */
UVA_API int uva_runtime_attach(uv_loop_t *loop, const uva_options_t *options,
                               uva_runtime_t **ret_runtime);

/**
 * Cancels and awaits what is left, closes the runtime's handles, then calls
 * `done` (may be NULL) from the loop. After that the loop can be closed.
 *
 * Context:  the thread of the loop; the host goes on running the loop
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EALREADY when detaching; UV_EPERM for uva_run()'s own
 *           runtime or from another thread; UV_EINVAL for NULL
 * Owns:     runtime and arg borrowed until done has been called
 * Since:    0.1
 */
UVA_API int uva_runtime_detach(uva_runtime_t *runtime, void (*done)(void *arg),
                               void *arg);

/**
 * The runtime of this thread: inside tasks, and in the host's callbacks.
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  the runtime, or NULL where there is none
 * Owns:     the result is borrowed
 * Since:    0.1
 */
UVA_API uva_runtime_t *uva_runtime_current(void);

/**
 * The loop that `runtime` rides on.
 *
 * Context:  the thread of the loop
 * Parks:    never
 * Cancel:   –
 * Returns:  the loop, or NULL after the runtime's end
 * Owns:     the result is borrowed
 * Since:    0.1
 */
UVA_API uv_loop_t *uva_runtime_loop(uva_runtime_t *runtime);

/**
 * Keeps the memory, not the life, of a runtime: after its end uva_post() and
 * uva_call() return UV_ESHUTDOWN. Who holds one may still post, so that a
 * runtime whose tasks are all parked is not taken for deadlocked.
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  runtime
 * Owns:     the result is new: uva_runtime_unref() it
 * Since:    0.1
 */
UVA_API uva_runtime_t *uva_runtime_ref(uva_runtime_t *runtime);

/**
 * Gives back a reference of uva_runtime_ref(); NULL is fine.
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes runtime
 * Since:    0.1
 */
UVA_API void uva_runtime_unref(uva_runtime_t *runtime);

UVA_END_DECLS

#endif
