/*
 * What: the report of a deadlock, and the way out of it under uva_run().
 *
 * A host that runs its own loop gets the report, and its loop back: nothing of
 * ours keeps it alive for a wait that cannot end. uva_run() has nobody to give
 * the loop back to, so it cancels main; if even then nothing can run (they
 * wait behind shields, or in a circle), going on would be a silent hang.
 */
#include "deadlock.h"

#include <stdlib.h>

#include "dump.h"
#include "report.h"

static void report_with_dump(uva_runtime_t *rt) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out != NULL) {
        uva_dump(rt, out);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    uva__report(rt,
                "deadlock: every task is parked and nothing can wake one%s%s",
                text != NULL ? "\n" : "", text != NULL ? text : "");
    free(text);
}

void uva__deadlock(uva_runtime_t *rt) {
    report_with_dump(rt);
    if (!rt->own_loop)
        return;
    bool began = uva__request_begin(rt);
    if (rt->main != NULL)
        (void)uva__cancel(&rt->main->future, NULL);
    for (uva_link_t *link = rt->tasks.first;
         link != NULL && uva__ready_is_empty(&rt->ready); link = link->next)
        (void)uva__cancel(&UVA__OF(link, uva__task_t, all)->future, NULL);
    uva__request_end(rt, began);
    if (uva__ready_is_empty(&rt->ready))
        uva__abort("a deadlock that no cancellation can end: the tasks above "
                   "wait for each other, or behind shields for something that "
                   "nobody will do; give the shielding scope a deadline");
}
