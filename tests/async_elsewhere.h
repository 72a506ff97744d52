/*
 * async_elsewhere.h - async functions that one file defines and others call.
 */
#ifndef ASYNC_ELSEWHERE_H
#define ASYNC_ELSEWHERE_H

#include <uvawait/async.h>

typedef struct quote {
    int price;
    char item[60];
} quote_t;

UVA_ASYNC_DECLARE(quote_t, quote_for, (const char *, item), (int, price));
UVA_ASYNC_DECLARE(void, fail_elsewhere);
UVA_GENERATOR_DECLARE(quote_t, quotes, (int, count));

/* A coroutine, and a handle, that were made in the other file. */
struct quote_for coroutine_from_elsewhere(void);
struct quote_for task_from_elsewhere(void);

#endif
