/*
 * Futures inside: an outcome, who watches it, and a kind that knows how to
 * cancel and free it. Tasks, coroutines and shields are futures of other kinds
 * (this struct is their first member).
 *
 * States: UNSTARTED (coroutines, awaitables) -> PENDING -> DONE. Only forwards;
 * UNSTARTED may go straight to DONE (cancelled, or awaited in place).
 */
#ifndef UVA__FUTURE_H
#define UVA__FUTURE_H

#include <string.h>

#include "list.h"
#include "runtime.h"
#include "text.h"
#include "uvawait/future.h"

typedef enum { UVA__UNSTARTED, UVA__PENDING, UVA__DONE } uva__state_t;

typedef struct uva__future_kind {
    const char *noun; /* "task": for names and reports */
    size_t bytes;     /* of the whole object */
    bool is_task;     /* a uva__task_t; only its body completes it */
    /* Begins f, which is UNSTARTED: as a call of runner's, which waits for it
     * next, or by itself, where that is NULL. Below 0 if it cannot. NULL for
     * kinds that begin PENDING. */
    int (*start)(uva_future_t *f, uva__task_t *runner);
    /* uva_future_resolve() or uva_future_fail() says that f is over, which may
     * be DONE: takes the value over. NULL: only its own course can end it. */
    void (*told)(uva_future_t *f, int code, void *value);
    /* What names are made of; NULL, as the hook may be, for the noun. */
    const char *(*stem)(const uva_future_t *f);
    /* Asked to end while not done. Returns a future that the request is to be
     * passed on to, or NULL: so a chain of waits is walked, not recursed. */
    uva_future_t *(*cancel)(uva_future_t *f, uva__text_t *reason);
    /* The last reference is gone: lets go of what the kind holds. May be
     * NULL. */
    void (*drop)(uva_future_t *f);
} uva__future_kind_t;

struct uva_future {
    const uva__future_kind_t *kind;
    uva_runtime_t *runtime;
    uint32_t refs;
    uint8_t state;        /* uva__state_t */
    bool seen;            /* somebody read the outcome */
    bool marked : 1;      /* for finding duplicates; only within one function
                            that does not park, else false */
    bool to_cancel : 1;   /* stands in runtime->first_to_cancel */
    bool is_apart : 1;    /* `value` is where the value lies, not the value */
    bool is_async : 1;    /* a task of an async function: its argument begins
                             with a uva_async_head_t */
    uint8_t site_fn;      /* which argument of the site's call, from 1, names
                            the function; 0: none does */
    int code;             /* DONE: the outcome */
    uint32_t value_bytes; /* of the value; a pointer's unless is_apart */
    void *value;          /* DONE, code >= 0 */
    uva__text_t *message; /* of a failure or cancellation; NULL if none */
    uva_list_t watchers;  /* uva__watcher_t, in the order of registration */
    uva_list_t queued; /* DONE: its callbacks that stand in the ready queue */
    uva__text_t *name; /* NULL until given or asked for */
    const char *site;  /* UVA_SITE of its creation; NULL if unknown */
    uint64_t id;       /* counts up with creation; in made names */
    uva_future_t *next_to_cancel; /* while to_cancel: the next, or NULL */
};

/* Somebody who is told once when a future is done. `fire` runs inside the
 * completion: it may wake a task or queue a callback, never run user code. */
typedef struct uva__watcher {
    uva_link_t link;
    void (*fire)(struct uva__watcher *watcher, uva_future_t *f);
} uva__watcher_t;

/* Prepares the base of a new object: one reference, PENDING. Field by field:
 * clearing it whole is a rep stos, which takes longer than the rest; but for
 * `refs` to `code`, which are one store so, and none that has to read the bits
 * beside its own. Both together: 3 ns of the 21 of a future. */
static inline void uva__future_init(uva_future_t *f,
                                    const uva__future_kind_t *kind,
                                    uva_runtime_t *runtime, const char *site) {
    memset(&f->refs, 0,
           offsetof(uva_future_t, value_bytes) - offsetof(uva_future_t, refs));
    f->kind = kind;
    f->runtime = runtime;
    f->refs = 1;
    f->state = UVA__PENDING;
    f->value_bytes = sizeof(void *);
    f->value = NULL;
    f->message = NULL;
    f->watchers = f->queued = (uva_list_t){NULL, NULL};
    f->name = NULL;
    f->site = site;
    f->id = ++runtime->ids;
    f->next_to_cancel = NULL;
}

/* A new pending future of a kind, not cleared past its base; NULL without
 * memory. */
static inline uva_future_t *uva__future_make(const uva__future_kind_t *kind,
                                             uva_runtime_t *runtime,
                                             const char *site) {
    uva_future_t *f = uva__take(&runtime->pools, kind->bytes);
    if (f != NULL)
        uva__future_init(f, kind, runtime, site);
    return f;
}

/* The last reference is gone. */
void uva__future_free(uva_future_t *f);

/* uva_unref() for what is known to be there and ours. */
static inline void uva__unref(uva_future_t *f) {
    UVA__ASSERT(f->refs > 0);
    if (--f->refs == 0)
        uva__future_free(f);
}

/* Ends f and tells its watchers. f must not be done. */
void uva__complete(uva_future_t *f, int code);

/* Begins f if it has not begun; see the kind's `start`. If it cannot, f is
 * completed with the code. */
static inline int uva__start(uva_future_t *f, uva__task_t *runner) {
    if (f->state != UVA__UNSTARTED)
        return 0;
    int code = f->kind->start(f, runner);
    if (code < 0)
        uva__complete(f, code);
    return code;
}

/* Asks f to end; false when it is done. `reason` is borrowed, may be NULL. From
 * a cancel hook or a watcher inside a cancellation, f is asked when the walk
 * comes to it, with the reason of that cancellation. */
bool uva__cancel(uva_future_t *f, uva__text_t *reason);

/* Between these, all who are asked to end are asked by one request, so each
 * task at most once, by however many ways it comes. They nest: `began` is what
 * the first one gave. */
bool uva__request_begin(uva_runtime_t *rt);
void uva__request_end(uva_runtime_t *rt, bool began);

/* What is left to do for a cancellation that a hook passed on. */
void uva__pass_on(uva_future_t *f, uva__text_t *reason);

/* Takes over a code's message, value and "seen" when a wait delivers f to the
 * current task. Does not take f. Returns f's code. ret_value may be NULL. */
int uva__deliver(uva_future_t *f, void *ret_value);

/* Copies f's value (DONE, code >= 0) to place, if place is not NULL; returns
 * one past it. */
char *uva__copy_value(const uva_future_t *f, char *place);

/* Whether the calling thread may use f: it is that of f's runtime, or the
 * runtime has ended. If not, it is reported. */
bool uva__is_ours(const uva_future_t *f, const char *call);

static inline bool uva__is_done(const uva_future_t *f) {
    return f->state == UVA__DONE;
}

/* f must not be done, and the watcher not registered. */
static inline void uva__watch(uva_future_t *f, uva__watcher_t *watcher) {
    uva__list_push(&f->watchers, &watcher->link);
}

/* The watcher must be registered and not fired. */
static inline void uva__unwatch(uva_future_t *f, uva__watcher_t *watcher) {
    uva__list_remove(&f->watchers, &watcher->link);
}

#endif
