/*
 * awaitable_fixture.h - an object that says what is asked of it.
 */
#ifndef AWAITABLE_FIXTURE_H
#define AWAITABLE_FIXTURE_H

#include "support/program.h"

#include <string.h>

/* Ends after `ms` with `code`, or with what stands in `text`. Records "n+" when
 * it begins, "n!" when it is cancelled, "n-" when it is dropped. */
typedef struct nap {
    const char *name;
    uint64_t ms;
    int code;
    char text[100];
    uva_future_t *f;
    uva_task_t *task;
} nap_t;

static const char nap_text[] = "0123456789012345678901234567890123456789"
                               "0123456789012345678901234567890123456789"
                               "0123456789012345678";

static inline nap_t nap_of(const char *name, uint64_t ms) {
    nap_t nap = {.name = name, .ms = ms};
    memcpy(nap.text, nap_text, sizeof nap.text);
    return nap;
}

static inline int nap_sleep(void *arg) {
    const nap_t *nap = arg;
    int code = uva_sleep(nap->ms);
    return code == 0 && nap->code < 0 ? uva_fail(nap->code, "no sleep") : code;
}

/* Also of a task that was cancelled before its first step. */
static inline void nap_over(uva_future_t *task, void *arg) {
    nap_t *nap = arg;
    int code = uva_status(task);
    if (code < 0)
        (void)uva_future_fail(nap->f, code, uva_message(task));
    else
        (void)uva_future_resolve(nap->f, nap->text);
}

static inline int nap_start(void *self, uva_future_t *f) {
    nap_t *nap = self;
    ck_assert_ptr_null(uva_current());
    record("%s+", nap->name);
    nap->f = f;
    nap->task = uva_spawn(nap_sleep, nap);
    return uva_on_done(nap->task, nap_over, nap);
}

static inline void nap_cancel(void *self, uva_future_t *f) {
    nap_t *nap = self;
    ck_assert_ptr_null(uva_current());
    ck_assert_ptr_eq(f, nap->f);
    record("%s!", nap->name);
    ck_assert(uva_cancel(nap->task));
}

static inline void nap_drop(void *self) {
    nap_t *nap = self;
    ck_assert_ptr_null(uva_current());
    record("%s-", nap->name);
    uva_unref(nap->task);
    nap->task = NULL;
}

static const uva_awaitable_ops_t nap_ops = {
    .name = "nap", .start = nap_start, .cancel = nap_cancel, .drop = nap_drop};

/* One that ends in the request itself; begun with `code`, ended with it. */
static inline int prompt_start(void *self, uva_future_t *f) {
    nap_t *nap = self;
    nap->f = f;
    record("%s+", nap->name);
    return nap->code;
}

static inline void prompt_cancel(void *self, uva_future_t *f) {
    const nap_t *nap = self;
    record("%s!", nap->name);
    ck_assert_int_eq(uva_future_fail(f, nap->code, NULL), 0);
}

static inline void prompt_drop(void *self) {
    record("%s-", ((nap_t *)self)->name);
}

static const uva_awaitable_ops_t prompt_ops = {
    .start = prompt_start, .cancel = prompt_cancel, .drop = prompt_drop};

static inline int prompt_await(void *arg) {
    nap_t *nap = arg;
    int code = uva_await(uva_awaitable(&prompt_ops, nap), NULL);
    const char *message = uva_last_message();
    record("%s", message != NULL ? message : "none");
    return code;
}

#endif
