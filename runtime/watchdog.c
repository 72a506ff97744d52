/*
 * What: what a slice that blocks the loop looks like from outside, while it
 * does, and what it came to when it is over.
 *
 * How: one thread for each runtime in debug. It shares no list with the
 * others, so there is no global one, and it ends with the runtime. Twice in
 * slow_task_ms it looks at what the scheduler has written down about the slice
 * that runs. It never looks at a task: that may be freed at any moment. So the
 * scheduler writes down a copy of the name, and the place, which is a literal.
 * The turn says whether all that was read belongs together: it is odd while
 * something is being written down, and another afterwards. What is written
 * is released and what is read acquired, so whoever has read a word of the
 * next slice sees its turn too. When it began says which slice it is.
 *
 * A report is made only if the slice still runs when the backtrace has been
 * taken and the lock of the hook is held: it never accuses a task of what
 * another did, and never comes after the report of the end. It comes again
 * when a slice takes ten times as long, and ten times that.
 *
 * Rejected: looking at the running task under a lock, which would cost a
 * contended lock or a fence a switch. A report by the blocked thread in a
 * signal handler, where hooks may not allocate.
 *
 * If you change this: test_watchdog.c; backtrace.c looks at the thread.
 */
#include "watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backtrace.h"
#include "hint.h"
#include "report.h"

enum { NAME_WORDS = 12, AGAIN = 10 };
#define NAME_BYTES (NAME_WORDS * sizeof(uint64_t))
#define NS_A_MS    UINT64_C(1000000)
#define LONGEST_MS UINT64_C(3600000)

struct uva__watchdog {
    /* The slice, written by the loop's thread. */
    _Atomic uint64_t turn;
    _Atomic uint64_t since_ns;         /* 0: it is over */
    _Atomic(const char *) site;        /* of the task; no_task: a callback */
    _Atomic uint64_t name[NAME_WORDS]; /* the begin of it */

    uva_runtime_t *runtime;
    uint64_t slow_ns;
    uva__thread_t loop; /* whose stack is looked at */
    uv_thread_t thread;
    uv_mutex_t reporting; /* recursive: one call of the hook at a time */
    uv_mutex_t lock;
    uv_cond_t wake;
    bool stop; /* under lock */
    /* The watchdog's own. */
    uint64_t reported_ns; /* since_ns of the slice that next_ns is of */
    uint64_t next_ns;     /* it is reported when it is that old */
};

/* A slice as the watchdog has read it. */
typedef struct slice {
    uint64_t turn;
    uint64_t since_ns;
    const char *site;
    char name[NAME_BYTES];
} slice_t;

/* ---- the loop's side ---------------------------------------------------- */

static const char no_task[] = "";

#define PUT(field, value) \
    atomic_store_explicit(field, value, memory_order_release)
#define GET(field) atomic_load_explicit(field, memory_order_acquire)

static void put_name(uva__watchdog_t *dog, const char *name) {
    uint64_t words[NAME_WORDS] = {0};
    size_t length = strnlen(name, NAME_BYTES - 1);
    memcpy(words, name, length);
    for (size_t i = 0; i <= length / sizeof words[0]; i++)
        PUT(&dog->name[i], words[i]);
}

void uva__slice_begin(uva_runtime_t *rt, const uva__task_t *task) {
    uva__watchdog_t *dog = rt->watchdog;
    rt->slice_ns = uv_hrtime();
    uva__hints_resumed(rt, task, rt->slice_ns);
    if (dog == NULL)
        return;
    uint64_t turn = atomic_load_explicit(&dog->turn, memory_order_relaxed);
    PUT(&dog->turn, turn + 1);
    PUT(&dog->site, task != NULL ? task->future.site : no_task);
    if (task != NULL)
        put_name(dog, uva_name(&task->future));
    PUT(&dog->since_ns, rt->slice_ns);
    PUT(&dog->turn, turn + 2);
}

void uva__slice_renamed(uva_runtime_t *rt, const char *name) {
    uva__watchdog_t *dog = rt->watchdog;
    if (dog == NULL)
        return;
    uint64_t turn = atomic_load_explicit(&dog->turn, memory_order_relaxed);
    PUT(&dog->turn, turn + 1);
    put_name(dog, name);
    PUT(&dog->turn, turn + 2);
}

void uva__slice_end(uva_runtime_t *rt, const uva__task_t *task) {
    if (rt->watchdog != NULL)
        PUT(&rt->watchdog->since_ns, 0);
    uint64_t now_ns = uv_hrtime();
    uint64_t ms = (now_ns - rt->slice_ns) / NS_A_MS;
    uva__hints_left(rt, task, now_ns);
    if (ms < rt->options.slow_task_ms)
        return;
    if (task == NULL)
        uva__report(rt, "a callback ran for %u.%03u seconds",
                    (unsigned)(ms / 1000), (unsigned)(ms % 1000));
    else
        uva__report(rt,
                    "task '%s' (spawned at %.*s) ran for %u.%03u seconds "
                    "without parking; nothing else could run meanwhile. Give "
                    "the work to uva_to_thread(), or call uva_yield() in it",
                    uva_name(&task->future),
                    uva__site_length(task->future.site), task->future.site,
                    (unsigned)(ms / 1000), (unsigned)(ms % 1000));
}

void uva__watchdog_lock(const uva_runtime_t *rt) {
    if (rt->watchdog != NULL)
        uv_mutex_lock(&rt->watchdog->reporting);
}

void uva__watchdog_unlock(const uva_runtime_t *rt) {
    if (rt->watchdog != NULL)
        uv_mutex_unlock(&rt->watchdog->reporting);
}

/* ---- the watchdog's side ------------------------------------------------ */

/* False: nothing runs, or what runs has just begun. */
static bool read_slice(uva__watchdog_t *dog, slice_t *ret_slice) {
    uint64_t words[NAME_WORDS];
    ret_slice->turn = GET(&dog->turn);
    ret_slice->since_ns = GET(&dog->since_ns);
    ret_slice->site = GET(&dog->site);
    for (size_t i = 0; i < NAME_WORDS; i++)
        words[i] = GET(&dog->name[i]);
    memcpy(ret_slice->name, words, sizeof words);
    return ret_slice->turn % 2 == 0 && ret_slice->since_ns != 0 &&
           GET(&dog->turn) == ret_slice->turn;
}

static bool still_runs(uva__watchdog_t *dog, const slice_t *slice) {
    return GET(&dog->since_ns) == slice->since_ns;
}

/* What follows is over: here a task is begun, or a callback run. */
static bool is_root(const char *function) {
    return strcmp(function, "uva__task_run") == 0 ||
           strcmp(function, "uva__drain") == 0;
}

static void print_trace(const uva__symbols_t *symbols,
                        const uva__backtrace_t *trace, FILE *out) {
    if (trace->count == 0) {
        (void)fprintf(out, "\n  (no backtrace: %s)", trace->why);
        return;
    }
    (void)fprintf(out, "%s",
                  trace->is_waiting
                      ? "\n  it waits; by what its stack holds, perhaps a line "
                        "too many, here:"
                      : "\n  it computes, here:");
    for (size_t i = 0; i < trace->count; i++) {
        uva__symbol_t symbol;
        /* The call stands before the address that it returns to. */
        if (!uva__symbols_find(symbols, trace->frames[i] - (i > 0), &symbol))
            continue;
        if (is_root(symbol.function))
            break;
        (void)fprintf(out, "\n    %s", symbol.function);
        if (symbol.function[0] != '\0')
            (void)fprintf(out, "+0x%zx ", (size_t)symbol.offset + (i > 0));
        (void)fprintf(out, "(%s+0x%zx)", symbol.module,
                      (size_t)symbol.at + (i > 0));
    }
}

static void print_who(const slice_t *slice, FILE *out) {
    if (slice->site == no_task)
        (void)fprintf(out, "a callback");
    else
        (void)fprintf(out, "task '%s' (spawned at %.*s)", slice->name,
                      uva__site_length(slice->site), slice->site);
}

static void print_report(const slice_t *slice, uint64_t ns,
                         const uva__symbols_t *symbols,
                         const uva__backtrace_t *trace, FILE *out) {
    uint64_t ms = ns / NS_A_MS;
    print_who(slice, out);
    (void)fprintf(out,
                  " blocks the loop: for %llu.%03u seconds it has not parked, "
                  "and goes on; nothing else can run meanwhile. Give the work "
                  "to uva_to_thread(), or call uva_yield() in it",
                  (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
    print_trace(symbols, trace, out);
}

static void report_slice(uva__watchdog_t *dog, const slice_t *slice) {
    char *text = NULL;
    size_t length = 0;
    uva__backtrace_t trace;
    uva__symbols_t *symbols = uva__symbols_load();
    uva__backtrace_take(&dog->loop, symbols, &trace);
    FILE *out = open_memstream(&text, &length);
    if (out != NULL) {
        print_report(slice, uv_hrtime() - slice->since_ns, symbols, &trace,
                     out);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    uva__symbols_free(symbols);
    uv_mutex_lock(&dog->reporting);
    if (still_runs(dog, slice))
        uva__report(dog->runtime, "%s",
                    text != NULL ? text : "a task blocks the loop");
    uv_mutex_unlock(&dog->reporting);
    free(text);
}

static void look(uva__watchdog_t *dog) {
    slice_t slice;
    if (!read_slice(dog, &slice))
        return;
    if (slice.since_ns != dog->reported_ns) {
        dog->reported_ns = slice.since_ns;
        dog->next_ns = dog->slow_ns;
    }
    if (uv_hrtime() - slice.since_ns < dog->next_ns)
        return;
    dog->next_ns *= AGAIN;
    report_slice(dog, &slice);
}

static void watch(void *arg) {
    uva__watchdog_t *dog = arg;
    uva__backtrace_prepare();
    uv_mutex_lock(&dog->lock);
    while (!dog->stop) {
        (void)uv_cond_timedwait(&dog->wake, &dog->lock, dog->slow_ns / 2);
        uv_mutex_unlock(&dog->lock);
        look(dog);
        uv_mutex_lock(&dog->lock);
    }
    uv_mutex_unlock(&dog->lock);
}

/* ---- its life ----------------------------------------------------------- */

/* A thread that gets no signals: they are for the host's threads. */
static int start_thread(uva__watchdog_t *dog) {
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = uv_thread_create(&dog->thread, watch, dog);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* Bounded, so that nothing that is made of it overflows. */
static uint64_t slow_ns(uint64_t ms) {
    return (ms < LONGEST_MS ? ms : LONGEST_MS) * NS_A_MS;
}

static int make(uva_runtime_t *rt, uva__watchdog_t **ret_dog) {
    uva__watchdog_t *dog = calloc(1, sizeof *dog);
    if (dog == NULL)
        return UV_ENOMEM;
    dog->runtime = rt;
    dog->slow_ns = slow_ns(rt->options.slow_task_ms);
    dog->loop = uva__thread_self();
    int code = uv_mutex_init_recursive(&dog->reporting);
    if (code < 0)
        goto free_dog;
    code = uv_mutex_init(&dog->lock);
    if (code < 0)
        goto destroy_reporting;
    code = uv_cond_init(&dog->wake);
    if (code < 0)
        goto destroy_lock;
    code = start_thread(dog);
    if (code == 0) {
        *ret_dog = dog;
        return 0;
    }
    uv_cond_destroy(&dog->wake);
destroy_lock:
    uv_mutex_destroy(&dog->lock);
destroy_reporting:
    uv_mutex_destroy(&dog->reporting);
free_dog:
    free(dog);
    return code;
}

void uva__watchdog_start(uva_runtime_t *rt) {
    char reason[80];
    int code = make(rt, &rt->watchdog);
    if (code < 0)
        uva__report(rt,
                    "no watchdog could be started (%s): a task that blocks the "
                    "loop is reported only when it lets go of it",
                    uv_strerror_r(code, reason, sizeof reason));
}

void uva__watchdog_stop(uva_runtime_t *rt) {
    uva__watchdog_t *dog = rt->watchdog;
    if (dog == NULL)
        return;
    uv_mutex_lock(&dog->lock);
    dog->stop = true;
    uv_cond_signal(&dog->wake);
    uv_mutex_unlock(&dog->lock);
    (void)uv_thread_join(&dog->thread);
    rt->watchdog = NULL;
    uv_cond_destroy(&dog->wake);
    uv_mutex_destroy(&dog->lock);
    uv_mutex_destroy(&dog->reporting);
    free(dog);
}
