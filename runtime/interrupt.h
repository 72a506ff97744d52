/*
 * uva_options_t.handle_signals: SIGINT and SIGTERM cancel uva_run()'s main.
 */
#ifndef UVA__INTERRUPT_H
#define UVA__INTERRUPT_H

#include <signal.h>

#include "runtime.h"

enum { UVA__INTERRUPTS = 2 };

typedef struct uva__interrupt {
    uva_runtime_t *runtime;
    bool came; /* one has cancelled main */
    struct {
        uv_signal_t handle;      /* its data is the whole */
        struct sigaction former; /* put back at the stop */
        bool is_on;
    } signals[UVA__INTERRUPTS];
} uva__interrupt_t;

/* Begins to listen; *interrupt stays until rt has ended. On failure, the
 * handles that there are have been stopped. */
int uva__interrupt_start(uva__interrupt_t *interrupt, uva_runtime_t *rt);

/* Puts back what was before. Does nothing the second time, or when it was not
 * started. */
void uva__interrupt_stop(uva__interrupt_t *interrupt);

/* What uva_run() returns when main ended with code. */
int uva__interrupt_code(const uva__interrupt_t *interrupt, int code);

#endif
