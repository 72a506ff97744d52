/*
 * Generators inside: bodies that stand on a stack of their own and run as part
 * of whichever task asks for an item.
 *
 * While a task is inside one, task->stack is the generator's; the stack's owner
 * tells, by its lowest bit, that it is no task's. So parking, waking and the
 * report of an overflow need to know nothing of generators.
 */
#ifndef UVA__GENERATOR_H
#define UVA__GENERATOR_H

#include "task.h"
#include "uvawait/generator.h"

#define UVA__GENERATOR_TAG ((uintptr_t)1)

struct uva_generator {
    uva__resource_t resource; /* until it is closed */
    uva_runtime_t *runtime;
    uva_fn fn;
    void *arg;
    size_t item_bytes;
    void *ret_item;      /* where the next item goes; NULL: nowhere */
    uva__stack_t *stack; /* from the first item on until the body is over */
    uva__task_t *task;   /* who is in uva_next() or uva_generator_close() */
    uva__stack_t *outer; /* its stack: its own, or of another generator */
    const uva_scope_t *scope;   /* the innermost one when it came in */
    const uva_locals_t *locals; /* and the block of task-local values */
    int code;                   /* over: the body's failure */
    bool is_over;
    bool is_closing; /* cut short, for good */
};

/* Whose stack it is; NULL: a task's or nobody's. */
static inline uva_generator_t *uva__generator_on(const uva__stack_t *stack) {
    uintptr_t owner = (uintptr_t)stack->owner;
    if (UVA__LIKELY((owner & UVA__GENERATOR_TAG) == 0))
        return NULL;
    return (uva_generator_t *)(owner - UVA__GENERATOR_TAG);
}

/* The stack on which the task's own body stands. */
static inline const uva__stack_t *uva__own_stack(const uva__task_t *task) {
    const uva__stack_t *stack = task->stack;
    const uva_generator_t *generator;
    while (stack != NULL && (generator = uva__generator_on(stack)) != NULL)
        stack = generator->outer;
    return stack;
}

/* Runs the body, on the generator's stack; returns the stack that the task goes
 * on with. */
uva__stack_t *uva__generator_run(uva_generator_t *generator);

#endif
