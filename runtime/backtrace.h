/*
 * Where another thread of this process stands, without its help where that is
 * possible and without its harm in any case: see backtrace.c.
 */
#ifndef UVA__BACKTRACE_H
#define UVA__BACKTRACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbols.h"

/* A thread that lives as long as somebody looks at it. */
typedef struct uva__thread {
    pthread_t thread;
    pid_t id; /* the kernel's; 0: not known */
} uva__thread_t;

uva__thread_t uva__thread_self(void);

/* What has to be done once, by the thread that is going to look at others. */
void uva__backtrace_prepare(void);

enum { UVA__FRAMES = 32 };

typedef struct uva__backtrace {
    size_t count;                  /* of frames */
    uintptr_t frames[UVA__FRAMES]; /* the innermost first; the others are
                                      return addresses */
    bool is_waiting;               /* in the kernel: what was found on its
                                      stack, which may be more than there is */
    const char *why;               /* of count 0: there is none */
} uva__backtrace_t;

/* Takes the backtrace of a thread that is not the caller. It may have moved on
 * meanwhile; who wants to know has to look. */
void uva__backtrace_take(const uva__thread_t *thread,
                         const uva__symbols_t *symbols,
                         uva__backtrace_t *ret_trace);

#endif
