/*
 * What: how a broken invariant ends the process: with the task that ran, where
 * it was spawned, and the remedy.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "assert.h"
#include "report.h"
#include "task.h"

void uva__abort(const char *format, ...) {
    const uva_runtime_t *rt = uva__thread_runtime;
    (void)fputs("uvawait: fatal: ", stderr);
    if (rt != NULL && rt->current != NULL) {
        const uva_future_t *f = &rt->current->future;
        (void)fprintf(stderr, "in task '%s' (spawned at %.*s): ", uva_name(f),
                      uva__site_length(f->site), f->site);
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    abort();
}
