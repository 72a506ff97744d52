/*
 * What: what loops and collecting (uvawait/iterate.h) cannot do in macros.
 *
 * A loop closes its iterator under a shield, for at most UVA_EXIT_TIMEOUT_MS,
 * so that clean-up can wait in a task that is cancelled; a failure that left
 * the loop goes on its way afterwards.
 */
#include "uvawait/iterate.h"

#include <stdlib.h>
#include <string.h>

#include "async_futures.h"
#include "runtime/seam.h"

enum { FIRST_ROOM = 8 };

/* ---- loops over iterators ----------------------------------------------- */

static int close_iterator(uva_loop_t *loop) {
    loop->is_over = true;
    if (loop->close == NULL)
        return 0;
    if (uva_current() == NULL)
        return loop->close(loop->iterator);
    uva_scope_t shield;
    uva_scope_open(&shield, UVA_EXIT_TIMEOUT_MS, UVA_SCOPE_SHIELD);
    return uva_async_exit_close(&shield, loop->close(loop->iterator));
}

int uva_async_loop_end(uva_loop_t *loop, int code) {
    int end = close_iterator(loop);
    if (code < 0)
        return code;
    return end < 0 ? end : 0;
}

/* A generator that failed says so again when it is closed. */
static bool is_news(const uva_loop_t *loop, int code) {
    return code < 0 && code != UV_ECANCELED && code != loop->code;
}

void uva_async_loop_leave(uva_loop_t *loop) {
    if (loop->is_over)
        return;
    uva_leaving_t leaving = uva_async_block_leaves();
    int code = close_iterator(loop);
    uva__async_resume(leaving);
    char name[32]; /* uv_err_name() leaks for codes that are not libuv's */
    if (is_news(loop, code))
        uva__report(uva__thread_runtime,
                    "an iterator failed while it was closed by a return out of "
                    "its loop, and nobody gets to see it: %d (%s)",
                    code, uv_err_name_r(code, name, sizeof name));
}

/* ---- loops over what ends first ----------------------------------------- */

static int open_completions(uva_completions_t *completions) {
    size_t count = completions->count;
    completions->futures = malloc((count + 1) * sizeof(uva_future_t *));
    if (completions->futures == NULL) {
        uva__async_end(completions->coroutines, count, completions->self_bytes);
        completions->count = 0;
        return UV_ENOMEM;
    }
    uva__async_futures(completions->site, completions->coroutines, count,
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
void uva_async_completions_end(uva_completions_t *completions) {
    completions->is_over = true;
    if (completions->futures == NULL)
        return;
    uva_as_completed_close(&completions->it);
    for (size_t i = 0; i < completions->count; i++)
        (void)uva_cancel(completions->futures[i]);
    (void)uva_gather_settled(completions->futures, completions->count, NULL,
                             NULL);
    free(completions->futures);
}

void uva_async_completions_leave(uva_completions_t *completions) {
    if (completions->is_over)
        return;
    uva_leaving_t leaving = uva_async_block_leaves();
    uva_async_completions_end(completions);
    uva__async_resume(leaving);
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
