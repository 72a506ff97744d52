/*
 * What: a write that raises no SIGPIPE.
 *
 * How: the kernel sends it to the thread that wrote. So that thread blocks it,
 * and takes it off before it opens up again; one that was pending before is the
 * host's, and stays. (The way of "How to ignore SIGPIPE without affecting other
 * threads in a process", microhowto.info, which libraries have used for long.)
 * Where the host blocks it anyway that costs one system call more, else two in
 * all.
 *
 * Rejected: signal(SIGPIPE, SIG_IGN), which is the process's, and inherited by
 * its children.
 */
#include "sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

static void make_set(sigset_t *set) {
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGPIPE);
}

void uva__sigpipe_block(uva__sigpipe_t *sigpipe) {
    sigset_t set;
    sigset_t pending;
    make_set(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, &sigpipe->before);
    sigpipe->was_pending = sigismember(&sigpipe->before, SIGPIPE) == 1 &&
                           sigpending(&pending) == 0 &&
                           sigismember(&pending, SIGPIPE) == 1;
}

void uva__sigpipe_restore(uva__sigpipe_t *sigpipe, bool is_broken) {
    int saved = errno;
    sigset_t set;
    struct timespec at_once = {0, 0};
    make_set(&set);
    if (is_broken && !sigpipe->was_pending) {
        while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    if (sigismember(&sigpipe->before, SIGPIPE) != 1)
        (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    errno = saved;
}
