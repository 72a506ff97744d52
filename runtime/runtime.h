/*
 * What a runtime is made of. One per loop; everything here belongs to the
 * loop's thread, but for the posts (their own lock) and the reference count.
 */
#ifndef UVA__RUNTIME_H
#define UVA__RUNTIME_H

#include <stdatomic.h>

#include "deadlines.h"
#include "fiber.h"
#include "pool.h"
#include "ready.h"
#include "stack.h"
#include "uvawait/runtime.h"

typedef struct uva__task uva__task_t;

/* Something with a handle of libuv's that a user must close: a stream, a
 * listener. Linked so that the runtime's end can report and close it. */
typedef struct uva__resource {
    uva_link_t link;
    const char *noun; /* "stream"; NULL: the user has closed it already */
    const char *site; /* where it was opened */
    void (*close)(struct uva__resource *resource); /* as the user would */
} uva__resource_t;

/* Where a runtime is in its life. Only forwards. */
typedef enum {
    UVA__RUNNING = 0,
    UVA__ENDING,  /* the tasks that are left are cancelled and awaited */
    UVA__CLOSING, /* none is left; handles are being closed */
    UVA__ENDED    /* the memory stays while somebody holds it */
} uva__life_t;

/* Calls from other threads (and from this one). */
typedef struct uva__posts {
    uv_mutex_t lock;
    uv_async_t async;
    struct uva__post *first; /* under lock; oldest first */
    struct uva__post *last;  /* under lock */
    bool refuse;             /* under lock; the runtime has ended */
    uva_list_t blocked;      /* under lock; threads that wait for the loop */
    bool queued;             /* loop: `run` stands in the ready queue */
    uva__callback_t run;     /* runs what has been posted */
} uva__posts_t;

struct uva_runtime {
    /* ---- the scheduler's, hot --------------------------------------- */
    uva__task_t *current; /* who runs; NULL on the loop's stack */
    uva__task_t *urgent;  /* who goes on before the queue: it spawned the
                             running task eagerly; linked by task->outer */
    uva__ready_t ready;
    uva__callback_t *callback; /* taken from the queue, to run on the loop's
                                  stack next */
    int *errno_at;             /* this thread's errno */
    uint32_t resumes;          /* entries run since the clock was looked at */
    uint32_t pace;             /* so many may run until it is looked at again */
    uint64_t looked_ns;        /* the last look in this drain; 0: none yet */
    uint64_t polled_ns;        /* the first look in this drain; 0: none yet */
    bool draining;             /* tasks are being run now */
    bool poll_due;             /* ran long enough: poll before running more */
    bool is_fresh;             /* first_run() has given a task its stack */
    bool debug;
    bool overflow;      /* the overflow report is installed */
    uint64_t slice_ns;  /* debug: when the running slice began */
    uva__fiber_t fiber; /* the loop's own stack, while tasks run */

    /* ---- time -------------------------------------------------------- */
    uva__deadlines_t deadlines;
    uint64_t virtual_ns; /* the virtual clock */
    uint64_t armed_ns;   /* the deadline that `timer` is set for; 0: none */
    bool is_virtual;
    bool quiet; /* virtual: nothing was going on before this poll */

    /* ---- tasks ------------------------------------------------------- */
    uva__stacks_t stacks;
    uva__pools_t pools;
    uva_waiters_t wait_quiet; /* who waits until nothing is ready */
    uva_list_t tasks;         /* every task that has not ended */
    size_t live;              /* how many */
    size_t lent;              /* stacks that generators stand on */
    size_t outside;           /* parked tasks whom only the loop can wake */
    uint64_t ids;             /* counts tasks and futures, for their names */
    bool is_cancelling;       /* a cancellation walks from wait to wait */
    bool is_requesting;       /* what is asked to end is asked for one reason */
    uint32_t walk;            /* which reason; never 0 */
    uva_future_t *first_to_cancel;  /* held: where that walk goes on */
    uva_future_t *last_to_cancel;   /* valid while there is a first */
    struct uva__sites *spawn_sites; /* debug: stack use by place of spawning */
    struct uva__watchdog *watchdog; /* debug, real clock; or NULL */
    struct uva__hints *hints;       /* debug, unless no_hints; or NULL */

    /* ---- the loop ------------------------------------------------------ */
    uv_loop_t *loop;      /* NULL after the end */
    uv_prepare_t prepare; /* runs tasks before the poll, decides how to sleep;
                             referenced while we keep the loop alive */
    uv_check_t check;     /* runs tasks after the poll */
    uv_idle_t idle;       /* active: the poll must not block */
    uv_timer_t timer;     /* bounds the poll by the earliest deadline */
    uva__posts_t posts;
    _Atomic(uva_ping_t *) pings; /* fired, newest first; any thread pushes */
    atomic_uint pings_gate;      /* see ping.c */
    uva_list_t resources;        /* of uva__resource_t */
    uva_list_t callbacks;        /* of uva_on_done, that have not run */
    size_t loop_handles;         /* of those above, how many are initialised */
    size_t handles;        /* of libuv's, initialised and not closed yet */
    size_t requests;       /* that run on alone after who waited has left */
    unsigned char *polled; /* by descriptor: what uva_poll_fd() waits for */
    size_t polled_count;
    bool holding;       /* the loop is kept alive by us */
    bool idling;        /* `idle` is active */
    bool interruptible; /* a signal cancels main */
    bool said_no_room;  /* the limit of stacks was reported; until it is left */
    bool deadlocked;    /* reported; forgotten when something is ready */

    /* ---- life ---------------------------------------------------------- */
    uva__life_t life;
    bool own_loop;       /* uva_run's */
    uva__task_t *main;   /* uva_run: its first task; borrowed */
    size_t round_left;   /* ending: cancelled tasks of this round left */
    uint32_t round;      /* ending: how often the rest was cancelled */
    uint32_t busy_polls; /* ending: polls since the round was over, with
                            something ready at each */
    void (*done)(void *arg);
    void *done_arg;
    void *overflow_token;   /* of this thread's alternate signal stack */
    char overflow_name[96]; /* written by the signal handler, for its report */
    char overflow_file[256];
    atomic_size_t refs; /* uva_runtime_ref, and 1 for the runtime itself;
                           and UVA__HOLD each for who only keeps the memory */
    uva_options_t options;
};

/* The runtime of this thread, or NULL. Set while one is attached. */
extern _Thread_local uva_runtime_t *uva__thread_runtime
#if defined(__GNUC__)
    __attribute__((visibility("hidden"), tls_model("initial-exec")))
#endif
    ;

/* Keeps the memory of a runtime, with no say in whether it is deadlocked; from
 * any thread. */
#define UVA__HOLD ((size_t)1 << (sizeof(size_t) * 4))
void uva__runtime_hold(uva_runtime_t *rt);
void uva__runtime_let_go(uva_runtime_t *rt);

/* How many might still post, the runtime itself included. */
static inline size_t uva__runtime_users(size_t refs) {
    return refs & (UVA__HOLD - 1);
}

/* User code that may be called anywhere runs between these, as if outside a
 * task: it cannot park one that is in the middle of something. */
static inline uva__task_t *uva__step_outside(uva_runtime_t *rt) {
    uva__task_t *task = rt->current;
    rt->current = NULL;
    return task;
}
static inline void uva__step_inside(uva_runtime_t *rt, uva__task_t *task) {
    rt->current = task;
}

/* The clock, read afresh. */
static inline uint64_t uva__now_ns(const uva_runtime_t *rt) {
    return rt->is_virtual ? rt->virtual_ns : uv_hrtime();
}

/* now + ms, saturating. */
static inline uint64_t uva__deadline_ns(const uva_runtime_t *rt, uint64_t ms) {
    uint64_t now = uva__now_ns(rt);
    if (ms >= (UINT64_MAX - now) / 1000000)
        return UINT64_MAX;
    return now + ms * 1000000;
}

static inline uva_runtime_t *uva__runtime_of_callback(uva__callback_t *run) {
    return (uva_runtime_t *)(void *)((char *)run -
                                     offsetof(uva_runtime_t, posts.run));
}

#endif
