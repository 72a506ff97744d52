/*
 * What: the counting of task-local values, and who lets go of them when. How
 * they are read and set is api/local.c.
 *
 * A destructor is user code that may run anywhere: inside a call of a task, or
 * in the scheduler when a task ends that never ran. It always runs as if
 * outside a task, so that it cannot park one that is not there.
 */
#include "locals.h"

#include <stdlib.h>

#include "report.h"

_Thread_local const uva__values_t *uva__thread_values;

void uva__value_destroy(const uva_local_t *key, void *value) {
    if (value == NULL || key->destroy == NULL)
        return;
    uva_runtime_t *rt = uva__thread_runtime;
    uva__task_t *task = rt != NULL ? uva__step_outside(rt) : NULL;
    key->destroy(value);
    if (rt != NULL)
        uva__step_inside(rt, task);
}

void uva__value_unref(uva__value_t *value) {
    if (--value->refs > 0)
        return;
    uva__value_destroy(value->key, value->value);
    free(value);
}

void uva__values_unref(uva__values_t *values) {
    if (values == NULL || --values->refs > 0)
        return;
    for (size_t i = 0; i < values->count; i++)
        uva__value_unref(values->at[i]);
    free(values);
}

void uva__locals_unref(uva_locals_t *locals) {
    if (--locals->refs > 0)
        return;
    uva__values_unref(locals->values);
    free(locals);
}

void uva__locals_give(uva__task_t *task, uva_locals_t *locals) {
    locals->refs++;
    task->locals = locals;
    uva__values_t *inherited = task->values;
    task->values = NULL;
    uva__values_unref(inherited);
}

void uva__locals_drop(uva__task_t *task) {
    uva_locals_t *locals = task->locals;
    uva__values_t *values = task->values;
    task->locals = NULL;
    task->values = NULL;
    if (locals != NULL)
        uva__locals_unref(locals);
    uva__values_unref(values);
}

void uva__locals_left_open(void) {
    uva__abort("the body returned inside an open block of task-local values; "
               "call uva_local_close() on every way out of it");
}
