/*
 * What: what loops and collecting (uvawait/iterate.h) cannot do in macros.
 *
 * A loop that is left out of turn closes its iterator under a shield, for at
 * most EXIT_TIMEOUT_MS, so that clean-up can wait in a task that is cancelled.
 */
#include "uvawait/iterate.h"

#include <stdlib.h>
#include <string.h>

#include "async_futures.h"
#include "runtime/seam.h"

enum { EXIT_TIMEOUT_MS = 5000, FIRST_ROOM = 8 };

/* ---- loops over iterators ----------------------------------------------- */

static int close_iterator(uva_loop_t *loop) {
    loop->is_over = true;
    return loop->close != NULL ? loop->close(loop->iterator) : 0;
}

int uva_async_loop_end(uva_loop_t *loop, int code) {
    int end = close_iterator(loop);
    if (code < 0)
        return code;
    return end < 0 ? end : 0;
}

void uva_async_loop_leave(uva_loop_t *loop) {
    if (loop->is_over)
        return;
    uva_scope_t shield;
    uva_scope_open(&shield, EXIT_TIMEOUT_MS, UVA_SCOPE_SHIELD);
    int code = close_iterator(loop);
    (void)uva_scope_close(&shield);
    if (code < 0 && uva__thread_runtime != NULL)
        uva__report(uva__thread_runtime,
                    "an iterator failed while it was closed by a return out of "
                    "its loop, and nobody gets to see it: %d (%s)",
                    code, uv_err_name(code));
}

/* ---- loops over what ends first ----------------------------------------- */

static int open_completions(uva_completions_t *completions) {
    size_t count = completions->count;
    completions->futures = malloc((count + 1) * sizeof(uva_future_t *));
    if (completions->futures == NULL) {
        completions->count = 0;
        return UV_ENOMEM;
    }
    uva__async_futures("UVA_FOR_COMPLETED", completions->coroutines, count,
                       completions->self_bytes, completions->futures);
    return uva_as_completed_open(&completions->it, completions->futures, count,
                                 UVA_FOREVER);
}

int uva_async_completions_next(uva_completions_t *completions, void *ret_item) {
    int code = 0;
    if (completions->futures == NULL)
        code = open_completions(completions);
    uva_future_t *f;
    if (code == 0)
        code = uva_as_completed_next(&completions->it, &f);
    if (code <= 0)
        return code;
    code = uva_await(uva_ref(f), ret_item);
    return code < 0 ? code : 1;
}

/* Ends what has not come, waits for it, and gives all back. */
int uva_async_completions_end(uva_completions_t *completions) {
    completions->is_over = true;
    if (completions->futures == NULL)
        return 0;
    uva_as_completed_close(&completions->it);
    for (size_t i = 0; i < completions->count; i++)
        (void)uva_cancel(completions->futures[i]);
    (void)uva_gather_settled(completions->futures, completions->count, NULL,
                             NULL);
    free(completions->futures);
    return 0;
}

void uva_async_completions_leave(uva_completions_t *completions) {
    if (!completions->is_over)
        (void)uva_async_completions_end(completions);
}

/* ---- collecting --------------------------------------------------------- */

int uva_async_collect(uva_collection_t *collection, const void *item,
                      size_t item_bytes) {
    if (collection->count == collection->room) {
        size_t room = collection->room > 0 ? collection->room * 2 : FIRST_ROOM;
        void *items = room <= SIZE_MAX / item_bytes
                          ? realloc(collection->items, room * item_bytes)
                          : NULL;
        if (items == NULL)
            return UV_ENOMEM;
        collection->items = items;
        collection->room = room;
    }
    memcpy((char *)collection->items + collection->count++ * item_bytes, item,
           item_bytes);
    return 0;
}

void uva_async_collection_free(uva_collection_t *collection) {
    free(collection->items);
}
