/*
 * What the files behind the typed layer share: an array of coroutine values as
 * futures.
 */
#ifndef UVA__ASYNC_FUTURES_H
#define UVA__ASYNC_FUTURES_H

#include "uvawait/task.h"

/* The futures of `count` coroutines or handles of self_bytes each: owned, NULL
 * where memory was missing. */
void uva__async_futures(const char *site, const void *coroutines, size_t count,
                        size_t self_bytes, uva_future_t *ret_futures[]);

#endif
