/*
 * stack_fixture.h - what the tests of stack memory share: jobs that run on
 * stacks as the scheduler would run tasks, and questions about pages.
 */
#ifndef STACK_FIXTURE_H
#define STACK_FIXTURE_H

#include "support/support.h"

#include "runtime/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB   ((size_t)1024)
#define WORD  sizeof(uintptr_t)
#define GUARD UVA__GUARD_BYTES

/* ---- tasks, as the scheduler would run them ----------------------------- */

static uva__fiber_t main_fiber;

/* What a stack's owner points to here. */
typedef struct job {
    void (*run)(uva__stack_t *stack);
} job_t;

/* Runs one job after another, as the scheduler's own entry does. */
static inline void serve_jobs(void *arg) {
    uva__stack_t *stack = arg;
    uva__fiber_entered(&stack->fiber);
    for (;;) {
        job_t *job = stack->owner;
#if UVA__FIBER_NEEDS_RETIRE
        if (job == NULL)
            uva__fiber_leave(&stack->fiber, &main_fiber);
#endif
        job->run(stack);
        uva__fiber_switch(&stack->fiber, &main_fiber);
    }
}

static inline void run_on(uva__stack_t *stack,
                          void (*run)(uva__stack_t *stack)) {
    job_t job = {run};
    stack->owner = &job;
    uva__fiber_switch(&main_fiber, &stack->fiber);
    stack->owner = NULL;
}

static inline void setup(uva__stacks_t *stacks) {
    uva__fiber_init_thread(&main_fiber);
    uva__stacks_init(stacks, 0, serve_jobs);
}

static inline void teardown(uva__stacks_t *stacks) {
#if UVA__FIBER_NEEDS_RETIRE
    for (uva__stack_t *stack = uva__stacks_pooled(stacks, NULL); stack;
         stack = uva__stacks_pooled(stacks, stack))
        uva__fiber_switch(&main_fiber, &stack->fiber);
#endif
    uva__stacks_term(stacks);
}

static inline uva__stack_t *acquire(uva__stacks_t *stacks, size_t bytes) {
    const char *why = "no reason";
    uva__stack_t *stack = uva__stack_acquire(stacks, bytes, &why);
    ck_assert_msg(stack != NULL, "%s", why);
    return stack;
}

static inline void acquire_all(uva__stacks_t *stacks, uva__stack_t *list[],
                               size_t count) {
    for (size_t i = 0; i < count; i++)
        list[i] = acquire(stacks, 0);
}

static inline void release_all(uva__stacks_t *stacks, uva__stack_t *list[],
                               size_t count) {
    for (size_t i = count; i-- > 0;)
        uva__stack_release(stacks, list[i]);
}

static inline char *top_of(const uva__stack_t *stack) {
    return uva__stack_top(stack);
}

static inline size_t page_bytes(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Whether the page of this address takes up memory. */
static inline bool is_resident(const char *address) {
    unsigned char touched = 0;
    uintptr_t page = (uintptr_t)address & ~(uintptr_t)(page_bytes() - 1);
    ck_assert_int_eq(mincore((void *)page, page_bytes(), (void *)&touched), 0);
    return touched & 1;
}

/* Written as a task's frame that deep would be. */
static inline void dirty(uva__stack_t *stack, size_t depth) {
    memset(top_of(stack) - depth, 0x5a, 64);
}

/* Guard pages by madvise() fail from now on, as on a kernel before 6.13. */
static inline void forget_guard_advice(void) {
    faults_fail_every(FAULT_MADVISE, 1, UV_EINVAL);
}

static inline size_t statm(int field) {
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, text, sizeof text - 1);
    ck_assert_int_gt(got, 0);
    text[got] = '\0';
    close(fd);
    char *at = text;
    size_t value = strtoul(at, &at, 10);
    if (field == 1)
        value = strtoul(at, NULL, 10);
    return value * page_bytes();
}

static size_t jobs_run;

/* An ordinary local may lie on the fake stack of AddressSanitizer. */
static inline void count_job(uva__stack_t *stack) {
#if defined(__GNUC__)
    const char *here = __builtin_frame_address(0);
    ck_assert(here > stack->fiber.low && here < top_of(stack));
#endif
    ck_assert_ptr_nonnull(stack->owner);
    jobs_run++;
}

static size_t marked_depth;

static inline void write_mark(uva__stack_t *stack) {
    uintptr_t *word = (uintptr_t *)(void *)(top_of(stack) - marked_depth);
    *word = 1;
}

/* Whether the kernel itself may not write there; cheaper than a death. */
static inline bool is_closed(char *address) {
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ssize_t got = read(fd, address, 1);
    int error = errno;
    close(fd);
    return got < 0 && error == EFAULT;
}

static inline void expect_guarded(const uva__stack_t *stack) {
    char *low = stack->fiber.low;
    ck_assert(is_closed(low - 1));
    ck_assert(is_closed(low - GUARD / 2));
    ck_assert(is_closed(low - GUARD));
    ck_assert(!is_closed(low));
    ck_assert(!is_closed(top_of(stack) - 1));
}

#endif
