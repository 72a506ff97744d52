/*
 * The macros of <uvawait.h> in a user's hands: there is nothing to be said of
 * what they expand to, in any dialect of C and C++. Compiled, never run.
 */
#include <uvawait.h>

static uva_barrier_t barrier = UVA_BARRIER_INIT(2);
static uva_capacity_limiter_t limiter = UVA_CAPACITY_LIMITER_INIT(2);
static uva_condition_t condition = UVA_CONDITION_INIT;
static uva_event_t event = UVA_EVENT_INIT;
static const uva_local_t local = UVA_LOCAL_INIT(NULL);
static uva_lock_t lock = UVA_LOCK_INIT;
static uva_once_t once = UVA_ONCE_INIT;
static uva_rate_limiter_t rate = UVA_RATE_LIMITER_INIT(1, 10, 1);
static uva_rwlock_t rwlock = UVA_RWLOCK_INIT;
static uva_semaphore_t semaphore = UVA_SEMAPHORE_INIT(2);
static uva_wait_group_t wait_group = UVA_WAIT_GROUP_INIT;

int use_everything(void *arg);

static int use_futures(void *arg) {
    uva_future_t *all[4];
    all[0] = uva_spawn(use_everything, arg);
    all[1] = uva_coroutine(use_everything, NULL, 0);
    all[2] = uva_future_new();
    all[3] = uva_spawn_with(NULL, use_everything, arg);
    return uva_gather(all, 4, NULL);
}

static int use_group(void *arg) {
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, use_everything, arg);
    return uva_group_close(&group);
}

static int use_locals(void) {
    uva_generator_t *generator = uva_generate(use_everything, NULL, 1);
    char item;
    while (uva_next(generator, &item) > 0)
        (void)uva_local_set(&local, NULL);
    return uva_generator_close(generator);
}

static int use_streams(void) {
    uva_stream_t *stream = NULL;
    int code = uva_tcp_connect("localhost", 1, &stream);
    uva_stream_close(stream);
    return code;
}

int use_everything(void *arg) {
    const void *const all[] = {&barrier,   &limiter,   &condition, &event,
                               &lock,      &once,      &rate,      &rwlock,
                               &semaphore, &wait_group};
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    (void)use_locals();
    (void)use_streams();
    (void)uva_scope_close(&scope);
    return all[0] != NULL ? use_futures(arg) : use_group(arg);
}
