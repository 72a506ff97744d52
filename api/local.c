/*
 * What: reading and setting task-local values, blocks, and sets with a handle.
 *
 * How: setting copies the table unless nobody else holds it; see
 * runtime/locals.h. A block borrows the table that is in force, so opening and
 * closing one allocates nothing and cannot fail. Tables are small and searched
 * from the front.
 */
#include <stdlib.h>

#include "runtime/seam.h"
#include "uvawait/local.h"

/* Where the key's value stands; values->count when it has none. */
static size_t find(const uva__values_t *values, const uva_local_t *key) {
    size_t i = 0;
    while (i < values->count && values->at[i]->key != key)
        i++;
    return i;
}

static void *get(const uva__values_t *values, const uva_local_t *key) {
    if (values == NULL)
        return NULL;
    size_t i = find(values, key);
    return i < values->count ? values->at[i]->value : NULL;
}

/* A table of the same values with room for one more; NULL without memory. */
static uva__values_t *copy(const uva__values_t *values) {
    size_t count = values != NULL ? values->count : 0;
    uva__values_t *made =
        malloc(sizeof *made + (count + 1) * sizeof(uva__value_t *));
    if (made == NULL)
        return NULL;
    made->refs = 1;
    made->count = count;
    for (size_t i = 0; i < count; i++) {
        made->at[i] = values->at[i];
        made->at[i]->refs++;
    }
    return made;
}

/* Changes a value that nobody else sees. */
static void replace(uva__value_t *at, void *value) {
    void *old = at->value;
    at->value = value;
    uva__value_destroy(at->key, old);
}

/* Puts a value of its own in the place of another, or at the end. The table at
 * *slot is the caller's alone, and has room. */
static void put(uva__values_t *values, size_t i, uva__value_t *value) {
    if (i == values->count) {
        values->at[values->count++] = value;
        return;
    }
    uva__value_t *old = values->at[i];
    values->at[i] = value;
    uva__value_unref(old);
}

static int set(uva__values_t **slot, const uva_local_t *key, void *value) {
    uva__values_t *values = *slot;
    size_t i = values != NULL ? find(values, key) : 0;
    bool is_there = values != NULL && i < values->count;
    if (value == (is_there ? values->at[i]->value : NULL))
        return 0;
    bool is_own = is_there && values->refs == 1;
    if (is_own && values->at[i]->refs == 1) {
        replace(values->at[i], value);
        return 0;
    }
    uva__value_t *made = malloc(sizeof *made);
    if (made == NULL)
        return UV_ENOMEM;
    *made = (uva__value_t){.refs = 1, .key = key, .value = value};
    if (!is_own) {
        uva__values_t *own = copy(values);
        if (own == NULL) {
            free(made);
            return UV_ENOMEM;
        }
        *slot = own;
    }
    put(*slot, i, made);
    if (!is_own)
        uva__values_unref(values);
    return 0;
}

void *uva_local_get(const uva_local_t *key) {
    const uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL)
        return get(uva__thread_values, key);
    return rt->current != NULL ? get(*uva__values_of(rt->current), key) : NULL;
}

int uva_local_set(const uva_local_t *key, void *value) {
    uva__task_t *task = uva__running("uva_local_set");
    if (task == NULL)
        return UV_EPERM;
    return key != NULL ? set(uva__values_of(task), key, value) : UV_EINVAL;
}

/* ---- blocks ------------------------------------------------------------- */

void uva_local_open(uva_local_block_t *block) {
    *block = (uva_local_block_t){0};
    uva__task_t *task = uva__running("uva_local_open");
    if (task == NULL)
        return;
    block->task = &task->future;
    block->locals.values = uva__values_ref(*uva__values_of(task));
    block->locals.outer = task->locals;
    task->locals = &block->locals;
}

void uva_local_close(uva_local_block_t *block) {
    if (block->task == NULL)
        return;
    uva__task_t *task = uva__running("uva_local_close");
    if (task == NULL || task->locals != &block->locals)
        uva__abort("uva_local_close: this is not the innermost block of the "
                   "running task; close blocks once each, in the reverse "
                   "order of opening, in the task that opened them");
    task->locals = block->locals.outer;
    block->task = NULL;
    uva__values_unref(block->locals.values);
}

/* ---- sets with a handle ------------------------------------------------- */

uva_locals_t *uva_locals_new(void) {
    uva_locals_t *locals = malloc(sizeof *locals);
    if (locals == NULL)
        return NULL;
    const uva_runtime_t *rt = uva__thread_runtime;
    uva__task_t *task = rt != NULL ? rt->current : NULL;
    *locals = (uva_locals_t){.refs = 1};
    if (task != NULL)
        locals->values = uva__values_ref(*uva__values_of(task));
    return locals;
}

void *uva_locals_get(const uva_locals_t *locals, const uva_local_t *key) {
    return locals != NULL ? get(locals->values, key) : NULL;
}

int uva_locals_set(uva_locals_t *locals, const uva_local_t *key, void *value) {
    if (locals == NULL || key == NULL)
        return UV_EINVAL;
    return set(&locals->values, key, value);
}

void uva_locals_free(uva_locals_t *locals) {
    if (locals != NULL)
        uva__locals_unref(locals);
}
