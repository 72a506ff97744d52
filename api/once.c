/*
 * What: something that is done once, by whoever comes first.
 *
 * How: the first caller is the runner; the others wait. A success wakes them
 * all with its code. After a failure the turn passes to the oldest there and
 * then: it is the runner before it runs, so nobody who comes meanwhile can
 * barge in, and a cancellation of it changes nothing but what its own function
 * makes of it. So while nobody runs nobody waits.
 *
 * Source: the rule is that of tokio's OnceCell::get_or_try_init.
 */
#include "uvawait/once.h"

#include "runtime/seam.h"

typedef struct candidate {
    uva__waiter_t waiter;
    bool has_turn;
} candidate_t;

static const uva__wait_t once_wait = {.reason = "once",
                                      .cancel = uva__leave_queue};

void uva_once_init(uva_once_t *once) {
    *once = (uva_once_t)UVA_ONCE_INIT;
}

/* The runner has failed: it is somebody else's turn. */
static void pass_turn(uva_once_t *once) {
    uva__waiter_t *oldest = uva__first_waiter(&once->waiters);
    once->runner = NULL;
    if (oldest == NULL)
        return;
    once->runner = &oldest->task->future;
    UVA__OF(oldest, candidate_t, waiter)->has_turn = true;
    uva__wake_first(&once->waiters, 0);
}

/* The caller is the runner. */
static int run(uva_once_t *once, uva_fn fn, void *arg) {
    int code = fn(arg);
    if (code < 0) {
        pass_turn(once);
        return code;
    }
    once->code = code;
    once->is_done = true;
    once->runner = NULL;
    (void)uva__wake_all(&once->waiters, code);
    return code;
}

static UVA__COLD int refuse_recursion(const uva_once_t *once) {
    return uva__misuse("uva_once_run",
                       "task '%s' runs the function of once '%s' and would "
                       "wait for itself; what the function calls must not ask "
                       "for its result",
                       uva_name(once->runner),
                       uva__waiters_name(&once->waiters));
}

static int wait_for_runner(uva__task_t *task, uva_once_t *once, uva_fn fn,
                           void *arg) {
    if (once->runner == &task->future)
        return refuse_recursion(once);
    if (!uva__is_ours(once->runner, "uva_once_run"))
        return UV_EPERM;
    candidate_t self = {.waiter.wait = &once_wait};
    int code = uva__park_in(task, &once->waiters, &self.waiter);
    return self.has_turn ? run(once, fn, arg) : code;
}

int uva_once_run(uva_once_t *once, uva_fn fn, void *arg) {
    uva__task_t *task = uva__running("uva_once_run");
    if (task == NULL)
        return UV_EPERM;
    if (fn == NULL)
        return UV_EINVAL;
    if (once->runner == NULL) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (once->is_done)
        return once->code;
    if (once->runner != NULL)
        return wait_for_runner(task, once, fn, arg);
    once->runner = &task->future;
    return run(once, fn, arg);
}

bool uva_once_is_done(const uva_once_t *once) {
    return once->is_done;
}

void uva_once_set_name(uva_once_t *once, const char *name) {
    once->waiters.name = name;
}

void uva_once_statistics(const uva_once_t *once,
                         uva_once_statistics_t *ret_statistics) {
    *ret_statistics = (uva_once_statistics_t){
        .name = once->waiters.name,
        .runner = once->runner != NULL ? uva_name(once->runner) : NULL,
        .is_done = once->is_done,
        .waiting = uva__count_waiters(&once->waiters)};
}
