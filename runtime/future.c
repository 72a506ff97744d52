/*
 * What: futures: making, completing, cancelling, counting, and watching them.
 *
 * How: completing runs through the watchers in order; a watcher wakes a task or
 * queues a callback, so no user code runs inside. Cancelling walks along a
 * chain of waits instead of recursing into it; where the chain branches (a
 * gather, a group), the children are put off until the walk comes to them. So
 * neither a chain nor a tree of a thousand tasks needs a deep stack.
 */
#include "future.h"

#include <stdio.h>
#include <string.h>

#include "report.h"
#include "schedule.h"
#include "task.h"
#include "watchdog.h"

static uva_future_t *cancel_future(uva_future_t *f, uva__text_t *reason) {
    uva__text_put(&f->message, uva__text_ref(reason));
    uva__complete(f, UV_ECANCELED);
    return NULL;
}

static void told(uva_future_t *f, int code, void *value) {
    (void)code;
    if (!uva__is_done(f))
        f->value = value;
}

static const uva__future_kind_t future_kind = {.noun = "future",
                                               .bytes = sizeof(uva_future_t),
                                               .told = told,
                                               .cancel = cancel_future};

bool uva__is_ours(const uva_future_t *f, const char *call) {
    if (UVA__LIKELY(f->runtime == uva__thread_runtime) ||
        f->runtime->life == UVA__ENDED)
        return true;
    (void)uva__misuse(call,
                      "the %s belongs to another runtime. Everything of a "
                      "runtime is used in the thread of its loop; from other "
                      "threads use uva_post() or uva_call()",
                      f->kind->noun);
    return false;
}

void uva__complete(uva_future_t *f, int code) {
    UVA__ASSERT(f->state != UVA__DONE);
    f->code = code;
    f->state = UVA__DONE;
    uva_link_t *link;
    while ((link = uva__list_pop(&f->watchers)) != NULL) {
        uva__watcher_t *watcher = UVA__OF(link, uva__watcher_t, link);
        watcher->fire(watcher, f);
    }
}

/* Puts f at the end of the walk that goes on. */
static void ask_later(uva_runtime_t *rt, uva_future_t *f) {
    if (f->to_cancel)
        return;
    f->to_cancel = true;
    f->next_to_cancel = NULL;
    if (rt->first_to_cancel == NULL)
        rt->first_to_cancel = f;
    else
        rt->last_to_cancel->next_to_cancel = f;
    rt->last_to_cancel = uva_ref(f);
}

bool uva__request_begin(uva_runtime_t *rt) {
    if (rt->is_requesting)
        return false;
    rt->is_requesting = true;
    if (++rt->walk == 0)
        rt->walk = 1;
    return true;
}

void uva__request_end(uva_runtime_t *rt, bool began) {
    if (began)
        rt->is_requesting = false;
}

void uva__pass_on(uva_future_t *f, uva__text_t *reason) {
    if (f == NULL)
        return;
    uva_runtime_t *rt = f->runtime;
    if (rt->is_cancelling) {
        ask_later(rt, f);
        return;
    }
    bool began = uva__request_begin(rt);
    rt->is_cancelling = true;
    uva_future_t *asked = NULL; /* was put off; held */
    do {
        while (f != NULL && !uva__is_done(f))
            f = f->kind->cancel(f, reason);
        uva_unref(asked);
        f = asked = rt->first_to_cancel;
        if (f != NULL) {
            rt->first_to_cancel = f->next_to_cancel;
            f->to_cancel = false;
        }
    } while (f != NULL);
    rt->is_cancelling = false;
    uva__request_end(rt, began);
}

bool uva__cancel(uva_future_t *f, uva__text_t *reason) {
    if (uva__is_done(f))
        return false;
    uva__pass_on(f, reason);
    return true;
}

char *uva__copy_value(const uva_future_t *f, char *place) {
    if (place == NULL)
        return NULL;
    if (UVA__LIKELY(!f->is_apart))
        memcpy(place, &f->value, sizeof f->value);
    else if (f->value_bytes == sizeof(int)) /* no call */
        memcpy(place, f->value, sizeof(int));
    else if (f->value_bytes == sizeof(void *))
        memcpy(place, f->value, sizeof(void *));
    else if (f->value_bytes > 0)
        memcpy(place, f->value, f->value_bytes);
    return place + f->value_bytes;
}

int uva__deliver(uva_future_t *f, void *ret_value) {
    uva__task_t *task = f->runtime->current;
    if (f->message != NULL || task->heard != NULL)
        uva__text_put(&task->heard,
                      f->code < 0 ? uva__text_ref(f->message) : NULL);
    f->seen = true;
    if (f->code >= 0)
        (void)uva__copy_value(f, ret_value);
    else
        task->leaving = task->block_code = 0; /* an older failure's */
    return f->code;
}

/* ---- making ------------------------------------------------------------- */

static uva_future_t *new_on(const char *site, uva_runtime_t *runtime,
                            const char *call) {
    if (runtime != NULL && runtime->life == UVA__ENDED)
        return NULL;
    if (runtime == NULL || runtime != uva__thread_runtime) {
        (void)uva__misuse(call, "there is no such runtime in this thread");
        return NULL;
    }
    return uva__future_make(&future_kind, runtime, site);
}

uva_future_t *uva_future_new_at(const char *site) {
    return new_on(site, uva__thread_runtime, "uva_future_new");
}

uva_future_t *uva_future_new_on_at(const char *site, uva_runtime_t *runtime) {
    return new_on(site, runtime, "uva_future_new_on");
}

uva_future_t *(uva_future_new)(void) {
    return uva_future_new_at(NULL);
}

uva_future_t *(uva_future_new_on)(uva_runtime_t *runtime) {
    return uva_future_new_on_at(NULL, runtime);
}

/* ---- completing --------------------------------------------------------- */

static int complete_from_outside(uva_future_t *f, const char *call, int code,
                                 void *value, const char *message) {
    if (f == NULL)
        return UV_EINVAL;
    if (!uva__is_ours(f, call))
        return UV_EPERM;
    if (f->kind->told == NULL)
        return uva__misuse(call,
                           "'%s' is a %s: only its own course can end it. To "
                           "stop it, use uva_cancel()",
                           uva_name(f), f->kind->noun);
    /* A watcher may let go of the last reference. */
    f->refs++;
    f->kind->told(f, code, value);
    int result = UV_EALREADY;
    if (!uva__is_done(f)) {
        /* A request to end has left its reason, for an end without another. */
        if (code != UV_ECANCELED || message != NULL)
            uva__text_put(&f->message, uva__text_new(message));
        uva__complete(f, code);
        result = 0;
    }
    uva__unref(f);
    return result;
}

int uva_future_resolve(uva_future_t *f, void *value) {
    return complete_from_outside(f, "uva_future_resolve", 0, value, NULL);
}

int uva_future_fail(uva_future_t *f, int code, const char *message) {
    if (code >= 0)
        return UV_EINVAL;
    return complete_from_outside(f, "uva_future_fail", code, NULL, message);
}

/* ---- counting ----------------------------------------------------------- */

uva_future_t *uva_ref(uva_future_t *f) {
    if (f != NULL && uva__is_ours(f, "uva_ref"))
        f->refs++;
    return f;
}

/* The last reference is gone: says what nobody has noticed. */
static UVA__COLD void report_unseen(const uva_future_t *f) {
    const uva_runtime_t *rt = f->runtime;
    char reason[80]; /* uv_strerror() leaks for codes that are not libuv's */
    if (f->state == UVA__UNSTARTED)
        uva__report(rt,
                    "%s '%s' was never awaited (created at %.*s): none "
                    "of it has run. Give it to uva_await(), or to uva_start()",
                    f->kind->noun, uva_name(f), uva__site_length(f->site),
                    f->site);
    else if (uva__is_done(f) && f->code < 0 && !f->seen &&
             f->code != UV_ECANCELED)
        uva__report(rt,
                    "%s '%s' (created at %.*s) failed and nobody looked: %s "
                    "(%d)%s%s. Await it, or read its uva_status()",
                    f->kind->noun, uva_name(f), uva__site_length(f->site),
                    f->site, uv_strerror_r(f->code, reason, sizeof reason),
                    f->code, f->message != NULL ? ": " : "",
                    f->message != NULL ? f->message->chars : "");
}

static size_t block_bytes(const uva_future_t *f) {
    if (!f->kind->is_task || !uva__is_copy_behind(uva__task_of(f)))
        return f->kind->bytes;
    return UVA__TASK_BLOCK + uva__task_of(f)->copy_bytes;
}

void uva__future_free(uva_future_t *f) {
    uva_runtime_t *rt = f->runtime;
    if (UVA__UNLIKELY(!f->seen))
        report_unseen(f);
    if (f->kind->drop != NULL)
        f->kind->drop(f);
    uva__text_unref(f->message);
    uva__text_unref(f->name);
    uva__give(&rt->pools, f, block_bytes(f));
    if (UVA__UNLIKELY(rt->life == UVA__ENDED && rt->pools.taken == 0))
        uva_runtime_unref(rt);
}

void uva_unref(uva_future_t *f) {
    if (f == NULL || !uva__is_ours(f, "uva_unref"))
        return;
    UVA__ASSERT(f->refs > 0);
    if (--f->refs == 0)
        uva__future_free(f);
}

/* ---- reading ------------------------------------------------------------ */

/* Reading an outcome is noted in what is const to its reader. */
static void note_seen(const uva_future_t *f) {
    if (uva__is_done(f))
        ((uva_future_t *)(uintptr_t)f)->seen = true;
}

bool uva_is_done(const uva_future_t *f) {
    return f == NULL || uva__is_done(f);
}

int uva_status(const uva_future_t *f) {
    if (f == NULL)
        return UV_ENOMEM;
    note_seen(f);
    return uva__is_done(f) ? f->code : UV_EAGAIN;
}

void *uva_value(const uva_future_t *f) {
    if (f == NULL || !uva__is_done(f) || f->code < 0)
        return NULL;
    return f->value;
}

const char *uva_message(const uva_future_t *f) {
    if (f == NULL || !uva__is_done(f))
        return NULL;
    note_seen(f);
    return uva__text_chars(f->message);
}

/* ---- names -------------------------------------------------------------- */

/* "function-7", or "future-7" where no function is behind it. */
static uva__text_t *made_name(const uva_future_t *f) {
    int length = 0;
    const char *function = NULL;
    if (f->is_async) {
        uva_async_head_t head;
        memcpy(&head, uva__task_of(f)->arg, sizeof head);
        function = head.async->name;
        length = (int)strlen(function);
    } else if (f->site_fn != 0) {
        function = uva__site_argument(f->site, f->site_fn - 1u, &length);
    }
    if (function == NULL) {
        if (f->kind->stem != NULL)
            function = f->kind->stem(f);
        if (function == NULL)
            function = f->kind->noun;
        length = (int)strlen(function);
    }
    char name[128];
    (void)snprintf(name, sizeof name, "%.*s-%llu", length > 96 ? 96 : length,
                   function, (unsigned long long)f->id);
    return uva__text_new(name);
}

const char *uva_name(const uva_future_t *f) {
    if (f == NULL)
        return "(none)";
    if (f->name == NULL)
        ((uva_future_t *)(uintptr_t)f)->name = made_name(f);
    return f->name != NULL ? f->name->chars : f->kind->noun;
}

int uva_set_name(uva_task_t *task, const char *name) {
    if (task == NULL || name == NULL)
        return UV_EINVAL;
    if (!uva__is_ours(task, "uva_set_name"))
        return UV_EPERM;
    uva__text_t *text = uva__text_new(name);
    if (text == NULL)
        return UV_ENOMEM;
    uva__text_put(&task->name, text);
    if (UVA__UNLIKELY(task->runtime->debug) && task == uva_current())
        uva__slice_renamed(task->runtime, text->chars);
    return 0;
}

/* ---- cancelling --------------------------------------------------------- */

bool uva_cancel(uva_future_t *f) {
    if (f == NULL || !uva__is_ours(f, "uva_cancel"))
        return false;
    return uva__cancel(f, NULL);
}

bool uva_cancel_with(uva_future_t *f, const char *reason) {
    if (f == NULL || !uva__is_ours(f, "uva_cancel_with"))
        return false;
    uva__text_t *text = uva__text_new(reason);
    bool was_made = uva__cancel(f, text);
    uva__text_unref(text);
    return was_made;
}
