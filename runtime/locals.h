/*
 * Task-local values inside.
 *
 * Values stand in counted tables. A table that more than one holds is never
 * changed: who sets a value in one gets a copy first. So a spawn only counts,
 * and what a task does not use costs it one comparison.
 *
 * A task sees task->values, or those of task->locals when there is one: a set
 * with a handle (counted), or a block on its stack (refs 0), which knows what
 * was in force before.
 */
#ifndef UVA__LOCALS_H
#define UVA__LOCALS_H

#include "task.h"
#include "uvawait/local.h"

/* One value, in any number of tables. */
typedef struct uva__value {
    size_t refs;
    const uva_local_t *key;
    void *value;
} uva__value_t;

typedef struct uva__values {
    size_t refs;
    size_t count;
    uva__value_t *at[]; /* one for each key */
} uva__values_t;

/* What a thread of the pool sees while it runs a job; else NULL. */
extern _Thread_local const uva__values_t *uva__thread_values
#if defined(__GNUC__)
    __attribute__((visibility("hidden"), tls_model("initial-exec")))
#endif
    ;

/* Where the task's values stand now. */
static inline uva__values_t **uva__values_of(uva__task_t *task) {
    return task->locals != NULL ? &task->locals->values : &task->values;
}

static inline uva__values_t *uva__values_ref(uva__values_t *values) {
    if (values != NULL)
        values->refs++;
    return values;
}

/* NULL is fine. Destructors run inside. */
void uva__values_unref(uva__values_t *values);

/* One value less; its destructor may run. */
void uva__value_unref(uva__value_t *value);

/* Calls the key's destructor, outside of any task. */
void uva__value_destroy(const uva_local_t *key, void *value);

/* A new task sees what its spawner sees, or the set that it was given. */
static inline void uva__locals_inherit(uva__task_t *task,
                                       uva__task_t *spawner) {
    if (UVA__LIKELY(spawner != NULL))
        task->values = uva__values_ref(*uva__values_of(spawner));
}
void uva__locals_give(uva__task_t *task, uva_locals_t *locals);

/* One holder of a counted set less. */
void uva__locals_unref(uva_locals_t *locals);

/* The task is over. */
void uva__locals_drop(uva__task_t *task);

/* The body has left a block open. */
UVA__NORETURN UVA__COLD void uva__locals_left_open(void);

/* A body is over; `before` was in force when it began. */
static inline void uva__locals_check(const uva__task_t *task,
                                     const uva_locals_t *before) {
    if (UVA__UNLIKELY(task->locals != before))
        uva__locals_left_open();
}

#endif
