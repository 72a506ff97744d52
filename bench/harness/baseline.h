/**
 * Yardsticks that several micro-benchmarks stand beside: subjects of
 * bench_micro_t that are run plainly, outside of any runtime.
 */
#ifndef BENCH_BASELINE_H
#define BENCH_BASELINE_H

enum { BASELINE_CALLS = 10000000, BASELINE_JUMPS = 2000000 };

/* Calls through a pointer that the compiler cannot see through. */
int baseline_call(void *arg);

/* Calls through a pointer to a function that another file has. */
extern int (*volatile baseline_pointer)(void *arg);

#ifdef BENCH_HAVE_BOOST_CONTEXT
/* Jumps of boost.context's fcontext; operations are single jumps. */
int baseline_fcontext_jump(void *arg);

/* Makes a context on a stack that is warm, jumps in and back. */
int baseline_fcontext_make(void *arg);
#endif

/* uv_timer_start() and uv_timer_stop() of a timer that does not fire. */
int baseline_uv_timer(void *arg);

/* The same with uv_timer_init() before and uv_close() after, and the turn of
 * the loop that the closing needs. */
int baseline_uv_timer_whole(void *arg);

/* Turns of the loop with one idle handle. */
int baseline_uv_idle(void *arg);

/* uv_async_send() to the own loop, and the turn that receives it. */
int baseline_uv_async(void *arg);

#endif
