/*
 * What: madvise() on a batch of ranges, for installing guards and for giving
 * pages back.
 *
 * How: process_madvise(2) on ourselves takes a vector of ranges and saves the
 * entry into the kernel for all but one. Since Linux 6.13 it accepts every
 * advice for one's own process, and since 6.14 the pidfd may be a constant
 * that means "myself". Where either is missing the call fails without effect
 * and each range gets a madvise() of its own. Measured on Linux 6.18, guards
 * of 64 KiB: 1.1 us one by one, 0.78 us in batches of 64; larger batches gain
 * nothing more.
 *
 * Rejected: a real pidfd from pidfd_open(2). It costs a descriptor that the
 * host did not ask for, and after fork() it would still mean the parent.
 * Remembering that the kernel refused: it costs one failed call in 64.
 *
 * Small batches never try it: a program with few tasks then makes no system
 * call that a sandbox might not know.
 *
 * If you change this: bench/ has the numbers of fresh stacks; stack_million in
 * tests/ prints what a guard costs.
 */
#include "advise.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#ifdef UVA__HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* From linux/pidfd.h of Linux 6.14, which older distributions lack. */
#define PIDFD_OF_THIS_THREAD (-10000)

#define WORTH_A_VECTOR 9

static size_t advise_at_once(const struct iovec ranges[], size_t count,
                             int advice);

size_t uva__advise(const struct iovec ranges[], size_t count, int advice,
                   int *ret_code) {
    size_t done = 0;
    /* valgrind does not know process_madvise() and complains. */
    if (count >= WORTH_A_VECTOR && !RUNNING_ON_VALGRIND)
        done = advise_at_once(ranges, count, advice);
    for (; done < count; done++) {
        const struct iovec *range = &ranges[done];
        if (madvise(range->iov_base, range->iov_len, advice) != 0) {
            *ret_code = uv_translate_sys_error(errno);
            break;
        }
    }
    return done;
}

/* How many whole ranges the kernel says it has done. A range that it did in
 * part is done again by the caller, which is harmless for every advice. */
static size_t advise_at_once(const struct iovec ranges[], size_t count,
                             int advice) {
#ifdef SYS_process_madvise
    long advised = syscall(SYS_process_madvise, PIDFD_OF_THIS_THREAD, ranges,
                           count, advice, 0);
    size_t left = advised > 0 ? (size_t)advised : 0;
    size_t done = 0;
    while (done < count && left >= ranges[done].iov_len) {
        left -= ranges[done].iov_len;
        done++;
    }
    return done;
#else
    (void)ranges;
    (void)count;
    (void)advice;
    return 0;
#endif
}
