/*
 * What: awaitables: futures whose course is an object of the user's.
 *
 * How: a future of its own kind. Unstarted it is a coroutine's like; started,
 * a reference is the object's until uva_future_resolve() or uva_future_fail()
 * is called, also if a cancellation without a hook has ended the future before.
 * That reference is among the runtime's resources, so that the end finds and
 * cancels what is still pending.
 *
 * The object's functions are user code that may be called anywhere: inside a
 * combinator that goes through its futures, inside a walk of cancellations. So
 * they run as if outside a task. One that is cancelled by its own `start` is
 * asked after that has returned, when there is something to ask.
 */
#include "uvawait/awaitable.h"

#include <string.h>

#include "runtime/seam.h"

typedef struct awaitable {
    uva_future_t future;
    const uva_awaitable_ops_t *ops;
    void *self;
    uva__resource_t resource; /* linked while `owed`, until the end */
    bool owed;                /* begun, and the object has not ended it */
    bool starting;            /* inside ops->start */
    bool asked;               /* to end, while begun */
} awaitable_t;

static awaitable_t *awaitable_of(const uva_future_t *f) {
    return UVA__OF(f, awaitable_t, future);
}

/* ---- the end ------------------------------------------------------------ */

static void take_value(awaitable_t *awaitable, void *value) {
    uva_future_t *f = &awaitable->future;
    if (!f->is_apart) {
        f->value = value;
    } else if (awaitable->ops->value != NULL) {
        uva__task_t *task = uva__step_outside(f->runtime);
        awaitable->ops->value(awaitable->self, f->value);
        uva__step_inside(f->runtime, task);
    } else if (value != NULL) {
        memcpy(f->value, value, f->value_bytes);
    }
}

/* The caller holds f. */
static void told(uva_future_t *f, int code, void *value) {
    awaitable_t *awaitable = awaitable_of(f);
    if (code >= 0 && !uva__is_done(f))
        take_value(awaitable, value);
    if (!awaitable->owed)
        return;
    awaitable->owed = false;
    uva__forget_resource(f->runtime, &awaitable->resource);
    uva_unref(f);
}

static void ask(awaitable_t *awaitable) {
    uva_future_t *f = &awaitable->future;
    f->refs++;
    uva__task_t *task = uva__step_outside(f->runtime);
    awaitable->ops->cancel(awaitable->self, f);
    uva__step_inside(f->runtime, task);
    uva_unref(f);
}

static uva_future_t *cancel_awaitable(uva_future_t *f, uva__text_t *reason) {
    awaitable_t *awaitable = awaitable_of(f);
    if (awaitable->asked)
        return NULL;
    uva__text_put(&f->message, uva__text_ref(reason));
    if (f->state == UVA__PENDING && awaitable->ops->cancel != NULL) {
        awaitable->asked = true;
        if (!awaitable->starting)
            ask(awaitable);
        return NULL;
    }
    uva__complete(f, UV_ECANCELED);
    return NULL;
}

/* The runtime's end: the object is asked, and may still answer later. */
static void abandon(uva__resource_t *resource) {
    awaitable_t *awaitable = UVA__OF(resource, awaitable_t, resource);
    uva_future_t *f = &awaitable->future;
    uva__forget_resource(f->runtime, resource);
    if (uva__is_done(f) || awaitable->asked)
        return;
    uva__report(f->runtime,
                "awaitable '%s' (created at %.*s) was still pending at the end "
                "and has been cancelled. Await it, or cancel it, before %s",
                uva_name(f), uva__site_length(f->site), f->site,
                f->runtime->own_loop ? "main returns" : "uva_runtime_detach()");
    (void)uva__cancel(f, NULL);
}

/* ---- the beginning ------------------------------------------------------ */

static int start_awaitable(uva_future_t *f, uva__task_t *runner) {
    awaitable_t *awaitable = awaitable_of(f);
    uva_runtime_t *rt = f->runtime;
    if (rt->life >= UVA__CLOSING)
        return UV_ESHUTDOWN;
    if (runner != NULL && runner->is_cut)
        return 0; /* its wait asks f to end */
    f->state = UVA__PENDING;
    f->refs++;
    awaitable->owed = true;
    uva__open_resource(rt, &awaitable->resource, NULL, f->site, abandon);
    awaitable->starting = true;
    uva__task_t *task = uva__step_outside(rt);
    int code = awaitable->ops->start(awaitable->self, f);
    uva__step_inside(rt, task);
    awaitable->starting = false;
    if (code < 0) {
        (void)uva_future_fail(f, code, NULL);
    } else if (awaitable->asked && !uva__is_done(f)) {
        ask(awaitable);
    }
    return 0;
}

/* ---- the kind ----------------------------------------------------------- */

static const char *stem(const uva_future_t *f) {
    return awaitable_of(f)->ops->name;
}

/* rt is NULL where there is no runtime. */
static void drop_self(uva_runtime_t *rt, const uva_awaitable_ops_t *ops,
                      void *self) {
    if (ops->drop == NULL)
        return;
    uva__task_t *task = rt != NULL ? uva__step_outside(rt) : NULL;
    ops->drop(self);
    if (rt != NULL)
        uva__step_inside(rt, task);
}

static void drop_awaitable(uva_future_t *f) {
    const awaitable_t *awaitable = awaitable_of(f);
    if (f->is_apart)
        uva__give(&f->runtime->pools, f->value, f->value_bytes);
    drop_self(f->runtime, awaitable->ops, awaitable->self);
}

static const uva__future_kind_t awaitable_kind = {.noun = "awaitable",
                                                  .bytes = sizeof(awaitable_t),
                                                  .start = start_awaitable,
                                                  .told = told,
                                                  .stem = stem,
                                                  .cancel = cancel_awaitable,
                                                  .drop = drop_awaitable};

/* ---- making ------------------------------------------------------------- */

/* NULL without memory. */
static uva_future_t *make(uva_runtime_t *rt, const char *site,
                          const uva_awaitable_ops_t *ops, void *self) {
    void *value = NULL;
    if (ops->value_bytes > UINT32_MAX)
        return NULL;
    if (ops->value_bytes > 0) {
        value = uva__take(&rt->pools, ops->value_bytes);
        if (value == NULL)
            return NULL;
        memset(value, 0, ops->value_bytes);
    }
    uva_future_t *f = uva__future_make(&awaitable_kind, rt, site);
    if (f == NULL) {
        uva__give(&rt->pools, value, ops->value_bytes);
        return NULL;
    }
    f->state = UVA__UNSTARTED;
    if (value != NULL) {
        f->is_apart = true;
        f->value = value;
        f->value_bytes = (uint32_t)ops->value_bytes;
    }
    awaitable_t *awaitable = awaitable_of(f);
    awaitable->ops = ops;
    awaitable->self = self;
    awaitable->owed = awaitable->starting = awaitable->asked = false;
    awaitable->resource.close = NULL;
    return f;
}

/* The runtime to make one on; NULL: said why, unless it has ended. */
static uva_runtime_t *runtime_for(const uva_awaitable_ops_t *ops) {
    static const char call[] = "uva_awaitable";
    int code = 0;
    if (ops == NULL || ops->start == NULL)
        (void)uva__misuse(call, ops == NULL ? "the ops are NULL"
                                            : "the ops have no `start`");
    else if (ops->value != NULL && ops->value_bytes == 0)
        (void)uva__misuse(call, "the ops have a `value`, and no value_bytes");
    else
        return uva__open_runtime(call, &code);
    return NULL;
}

uva_future_t *uva_awaitable_at(const char *site, const uva_awaitable_ops_t *ops,
                               void *self) {
    uva_runtime_t *rt = runtime_for(ops);
    uva_future_t *f = rt != NULL ? make(rt, site, ops, self) : NULL;
    if (f == NULL && ops != NULL)
        drop_self(uva__thread_runtime, ops, self);
    return f;
}

uva_future_t *(uva_awaitable)(const uva_awaitable_ops_t *ops, void *self) {
    return uva_awaitable_at(NULL, ops, self);
}
