/*
 * What the files behind the typed layer share: an array of coroutine values as
 * futures, and a failure that is on its way up.
 */
#ifndef UVA__ASYNC_FUTURES_H
#define UVA__ASYNC_FUTURES_H

#include "uvawait/async.h"

/* The futures of `count` coroutines or handles of self_bytes each: owned, NULL
 * where memory was missing. */
void uva__async_futures(const char *site, const void *coroutines, size_t count,
                        size_t self_bytes, uva_future_t *ret_futures[]);

/* Without memory for that: cancels the handles among them, and waits. */
void uva__async_end(const void *coroutines, size_t count, size_t self_bytes);

/* The failure that uva_async_block_leaves() kept goes on its way. */
void uva__async_resume(uva_leaving_t leaving);

#endif
