/*
 * What: tells who awaits in a loop what could have been gathered.
 *
 * How: whoever awaits, a task or a coroutine that runs in place on one, has an
 * entry in a small table: the place where what it awaited last was made, how
 * many of them it has awaited since it awaited something else, and how long
 * that took. A child counts when
 *
 *   - it is a coroutine that runs in place, or a task that was made as the very
 *     last thing before it was awaited: nothing else was meant to run meanwhile
 *   - while it was awaited nothing at all ran for LEAST_NS: it waited, and for
 *     something that is not this loop's own work
 *   - its argument is not that of the child before. Who calls the same with the
 *     same takes what comes, one after the other, from a stream or a queue. It
 *     is compared byte by byte (so padding counts), as it was before the body
 *     ran if that is a task's
 *
 * A wait of its own between two of them (a sleep, a read, a lock) starts the
 * count again: then there is an order to it. After ENOUGH a place is reported,
 * once. It stays a guess, as what a child does may depend on what the one
 * before did; so it is made only in debug, and can be turned off.
 *
 * Times are those of the runtime's clock; of the real one, less what this
 * thread ran. The table forgets who meets another in it: no memory is needed
 * for those who await, and none is to be given back when they end.
 *
 * Rejected: looking into uva_await(), which is to cost no more than a call.
 */
#include "hint.h"

#include <stdlib.h>
#include <string.h>

#include "await.h"
#include "report.h"

#ifdef UVA__HAVE_VALGRIND
#include <valgrind/memcheck.h>
#endif

enum { ENTRIES = 512, ENOUGH = 8, PLACES = 64 };
#define LEAST_NS UINT64_C(1000000)

/* Somebody who awaits. */
typedef struct entry {
    uint64_t id;        /* its own; 0: free */
    const char *site;   /* of the children; NULL: it has awaited none */
    uint64_t child;     /* the last one */
    uint64_t arguments; /* its, hashed */
    uint64_t child_ns;  /* how long it was waited for */
    uint64_t total_ns;  /* and all of them */
    uint32_t count;     /* of those that counted */
    /* Of a task that is parked: */
    bool is_parked;
    uint64_t since_ns;               /* by the runtime's clock */
    uint64_t busy_ns;                /* of the hints, then */
    const uva_future_t *was_spawned; /* it awaits this fresh task; or NULL */
    uint64_t its_arguments;          /* the task's, hashed */
} entry_t;

struct uva__hints {
    uint64_t busy_ns; /* the time in which something ran */
    size_t places;
    const char *reported[PLACES];
    /* To be said at the end of this slice; site NULL: nothing. */
    const char *site;
    uint64_t total_ns;
    char name[96]; /* of the last child */
    entry_t entries[ENTRIES];
};

uva__hints_t *uva__hints_new(void) {
    return calloc(1, sizeof(uva__hints_t));
}

void uva__hints_free(uva__hints_t *hints) {
    free(hints);
}

static entry_t *entry_for(uva__hints_t *hints, uint64_t id) {
    entry_t *entry = &hints->entries[id % ENTRIES];
    if (entry->id != id)
        *entry = (entry_t){.id = id};
    return entry;
}

static void start_again(entry_t *entry) {
    entry->count = 0;
    entry->total_ns = 0;
}

/* ---- counting ----------------------------------------------------------- */

static uint64_t hash_bytes(const unsigned char *bytes, size_t count) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
#ifdef UVA__HAVE_VALGRIND
    /* Of padding, too, on which more than a guess must not depend. */
    (void)VALGRIND_MAKE_MEM_DEFINED(&hash, sizeof hash);
#endif
    return hash;
}

/* Of an async function not its result, which lies behind. */
static uint64_t hash_arguments(const uva__task_t *child) {
    if (child->copy == NULL)
        return (uint64_t)(uintptr_t)child->arg;
    const unsigned char *bytes = child->copy;
    if (!child->future.is_async)
        return hash_bytes(bytes, child->copy_bytes);
    uva_async_head_t head;
    memcpy(&head, bytes, sizeof head);
    return hash_bytes(bytes + head.async->args_offset, head.async->args_bytes);
}

static bool is_reported(const uva__hints_t *hints, const char *site) {
    for (size_t i = 0; i < hints->places; i++) {
        if (hints->reported[i] == site)
            return true;
    }
    return hints->places == PLACES;
}

/* Will be reported when the slice that begins is over. */
static void note(uva__hints_t *hints, const entry_t *entry,
                 const uva__task_t *child) {
    if (is_reported(hints, entry->site))
        return;
    hints->reported[hints->places++] = entry->site;
    hints->site = entry->site;
    hints->total_ns = entry->total_ns;
    const char *name = uva_name(&child->future);
    size_t length = strnlen(name, sizeof hints->name - 1);
    memcpy(hints->name, name, length);
    hints->name[length] = '\0';
}

/* The one with that id has waited so long for the child. `known`: the
 * arguments, if they are known from before it ran. */
static void count(uva__hints_t *hints, uint64_t id, const uva__task_t *child,
                  const uint64_t *known, uint64_t ns) {
    entry_t *entry = entry_for(hints, id);
    const uva_future_t *f = &child->future;
    if (f->site != entry->site)
        start_again(entry);
    if (f->id != entry->child || f->site != entry->site) {
        uint64_t arguments = known != NULL ? *known : hash_arguments(child);
        if (arguments == entry->arguments)
            start_again(entry);
        entry->site = f->site;
        entry->child = f->id;
        entry->arguments = arguments;
        entry->child_ns = 0;
    }
    bool had_counted = entry->child_ns >= LEAST_NS;
    entry->child_ns += ns;
    entry->total_ns += ns;
    if (entry->site == NULL || had_counted || entry->child_ns < LEAST_NS)
        return;
    if (++entry->count == ENOUGH)
        note(hints, entry, child);
}

/* Whose body runs in place in which: from the task's innermost one on, each is
 * awaited by the next, and the last by the task. `entry` is the task's. */
static void count_all(uva__hints_t *hints, const uva__task_t *task,
                      const entry_t *entry, uint64_t ns) {
    const uva__task_t *child = NULL;
    const uint64_t arguments = entry->its_arguments;
    const uint64_t *known = NULL;
    if (entry->was_spawned != NULL) {
        child = uva__task_of(entry->was_spawned);
        known = &arguments;
    }
    for (const uva_scope_t *scope = task->scope; scope != NULL;
         scope = scope->parent) {
        if (!scope->is_root)
            continue;
        const uva__task_t *body = UVA__OF(scope, uva__task_t, root);
        if (child != NULL)
            count(hints, body->future.id, child, known, ns);
        else
            start_again(entry_for(hints, body->future.id));
        child = body;
        known = NULL;
    }
}

/* ---- slices ------------------------------------------------------------- */

/* A task that was made last of all, and is awaited already. */
static const uva_future_t *fresh_target(const uva__task_t *task) {
    const uva__waiter_t *waiter = task->waiter;
    if (waiter->wait != &uva__await_wait || !waiter->on->kind->is_task ||
        waiter->on->id != task->future.runtime->ids)
        return NULL;
    return waiter->on;
}

static void report(uva__hints_t *hints, const uva__task_t *task) {
    uint64_t ms = hints->total_ns / 1000000;
    const char *site = hints->site;
    hints->site = NULL;
    uva__report(task->future.runtime,
                "task '%s' has awaited %d like '%s' (created at %.*s) one "
                "after the other, for %llu.%03u seconds in all. If they do not "
                "depend on each other, uva_gather() or a group runs them at "
                "once; if they do, the option no_hints says so",
                uva_name(&task->future), ENOUGH, hints->name,
                uva__site_length(site), site, (unsigned long long)(ms / 1000),
                (unsigned)(ms % 1000));
}

void uva__hints_left(uva_runtime_t *rt, const uva__task_t *task,
                     uint64_t now_ns) {
    uva__hints_t *hints = rt->hints;
    if (hints == NULL)
        return;
    hints->busy_ns += now_ns - rt->slice_ns;
    if (hints->site != NULL && task != NULL)
        report(hints, task);
    if (task == NULL || task->waiter == NULL)
        return; /* it yields, or is over */
    entry_t *entry = entry_for(hints, task->future.id);
    entry->is_parked = true;
    entry->since_ns = rt->is_virtual ? rt->virtual_ns : now_ns;
    entry->busy_ns = hints->busy_ns;
    entry->was_spawned = fresh_target(task);
    if (entry->was_spawned != NULL)
        entry->its_arguments = hash_arguments(uva__task_of(entry->was_spawned));
}

void uva__hints_resumed(uva_runtime_t *rt, const uva__task_t *task,
                        uint64_t now_ns) {
    uva__hints_t *hints = rt->hints;
    if (hints == NULL || task == NULL)
        return;
    entry_t *entry = entry_for(hints, task->future.id);
    if (!entry->is_parked)
        return;
    entry->is_parked = false;
    uint64_t ns = (rt->is_virtual ? rt->virtual_ns : now_ns) - entry->since_ns;
    uint64_t busy_ns = rt->is_virtual ? 0 : hints->busy_ns - entry->busy_ns;
    /* A fresh task is held by who awaits it, and who does has not gone on. */
    count_all(hints, task, entry, ns > busy_ns ? ns - busy_ns : 0);
}
