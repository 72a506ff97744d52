/*
 * Keeping SIGPIPE from the host, around a system call that cannot be told to
 * (send(2) can: MSG_NOSIGNAL). How the host takes the signal is not touched.
 */
#ifndef UVA__IO_SIGPIPE_H
#define UVA__IO_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

typedef struct uva__sigpipe {
    sigset_t before; /* what was blocked */
    bool was_pending;
} uva__sigpipe_t;

void uva__sigpipe_block(uva__sigpipe_t *sigpipe);

/* After the call; is_broken: it failed with EPIPE. Keeps errno. */
void uva__sigpipe_restore(uva__sigpipe_t *sigpipe, bool is_broken);

#endif
