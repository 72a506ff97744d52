/**
 * Task-local values: what belongs to the work at hand (a request's id, a user,
 * a trace) without being passed through every call.
 *
 *     static const uva_local_t request_id = UVA_LOCAL_INIT(free);
 *     uva_local_set(&request_id, strdup("r-17"));
 *     ... in anything that is called or spawned from here:
 *     log(uva_local_get(&request_id), ...);
 *
 * A task that is spawned sees the values that its spawner sees at that moment;
 * what either sets afterwards is its own. Spawning copies nothing: the values
 * are shared until one side sets one. A coroutine that is awaited in place sees
 * and sets its caller's. Host callbacks have no values.
 */
#ifndef UVAWAIT_LOCAL_H
#define UVAWAIT_LOCAL_H

#include "base.h"

UVA_BEGIN_DECLS

/* A key is the address of one of these, which must outlive its values. */
typedef struct uva_local {
    /* Called with each value that nobody sees any more: it was replaced, or
     * those that saw it have ended. NULL: values are not owned. Runs in the
     * thread of the runtime, outside a task (uva_current() is NULL); never for
     * a NULL value. */
    void (*destroy)(void *value);
} uva_local_t;

/* clang-format off */
#define UVA_LOCAL_INIT(destructor) { (destructor) }
/* clang-format on */

/* A set of values that several tasks see and set together: see
 * uva_locals_new(). Private; public only for its size. */
struct uva_locals {
    struct uva__values *values;
    struct uva_locals *outer; /* a block's: what was in force before */
    size_t refs;              /* 0: a block */
};

/* A block in which sets stay. The fields are private; the struct must stay
 * where it is while open. */
typedef struct uva_local_block {
    uva_locals_t locals;
    uva_task_t *task; /* NULL: opened outside a task */
} uva_local_block_t;

/**
 * The value that the running code sees. In a job of uva_to_thread(): what the
 * task saw when it gave the job.
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  the value; NULL when none was set, and outside tasks and jobs
 * Owns:     the result is borrowed until it is replaced or the task ends
 * Since:    0.1
 */
UVA_API void *uva_local_get(const uva_local_t *key);

/**
 * Sets a value for the running task and what it spawns from now on. NULL takes
 * it away. Setting the value that is there already changes nothing.
 *
 * Context:  task
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM (the old value stays); UV_EINVAL for a NULL key;
 *           UV_EPERM outside a task
 * Owns:     takes value on success, if the key has a destructor
 * Since:    0.1
 */
UVA_API int uva_local_set(const uva_local_t *key, void *value);

/**
 * Opens a block: what is set in it is seen in it, and by what is spawned in it,
 * and is undone at its close. Blocks nest.
 *
 * Context:  task; elsewhere it is reported and has no effect
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     block borrowed until closed
 * Since:    0.1
 */
UVA_API void uva_local_open(uva_local_block_t *block);

/**
 * Closes the innermost block: every value is again what it was at the opening.
 * Cannot fail. Misnested blocks abort with advice.
 *
 * Context:  the task that opened it
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     block is the caller's again
 * Since:    0.1
 */
UVA_API void uva_local_close(uva_local_block_t *block);

/**
 * Makes a set of values with a handle: a copy of what the running task sees, or
 * an empty one outside a task. Given to tasks by uva_task_options_t.locals,
 * they all see and set this very set, one after the other. So a callback of the
 * host can give a task its values, too.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the set; NULL without memory
 * Owns:     the result is new
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_locals_t *uva_locals_new(void);

/**
 * The value in a set.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the value; NULL when none was set
 * Owns:     locals borrowed; the result until it is replaced or the set freed
 * Since:    0.1
 */
UVA_API void *uva_locals_get(const uva_locals_t *locals,
                             const uva_local_t *key);

/**
 * uva_local_set() in a set; seen at once by the tasks that run in it.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM (the old value stays); UV_EINVAL for NULL
 * Owns:     locals borrowed; value as in uva_local_set()
 * Since:    0.1
 */
UVA_API int uva_locals_set(uva_locals_t *locals, const uva_local_t *key,
                           void *value);

/**
 * Lets go of a set; tasks that run in it keep it until they end.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes locals; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_locals_free(uva_locals_t *locals);

UVA_END_DECLS

#endif
