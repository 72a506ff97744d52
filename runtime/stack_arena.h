/**
 * Arenas: the address space that stacks are carved from.
 */
#ifndef UVA__STACK_ARENA_H
#define UVA__STACK_ARENA_H

#include "stack.h"

/* One reservation. A chain per size class, newest first; freed with it. */
typedef struct uva__arena {
    struct uva__arena *next;
    char *base;           /* of the mapping; the first guard begins here */
    size_t bytes;         /* of the mapping */
    size_t count;         /* stacks that it holds */
    size_t carved;        /* of these, from the first, how many have a guard
                             and a filled record */
    uva__stack_t *stacks; /* records of all, in the order of the stacks; part
                             of the allocation that begins with this struct */
} uva__arena_t;

/**
 * A raw stack of this class; carves more when there is none.
 *
 * Returns:  borrowed, out of class->raw; NULL: *ret_why as in acquire
 */
uva__stack_t *uva__arena_take(uva__stacks_t *stacks, uva__stack_class_t *class,
                              const char **ret_why);

/**
 * Adds at least one to the raw stacks of this class.
 *
 * Returns:  false: none could be added, *ret_why as in acquire
 */
bool uva__arena_carve(uva__stacks_t *stacks, uva__stack_class_t *class,
                      const char **ret_why);

/** Unmaps and frees all arenas of the class. No fiber may be left. */
void uva__arena_free_all(uva__stack_class_t *class);

#endif
