/**
 * Looking inside: what every task waits for, and what the stacks cost.
 */
#ifndef UVAWAIT_INSPECT_H
#define UVAWAIT_INSPECT_H

#include "base.h"

#include <stdio.h>

UVA_BEGIN_DECLS

typedef enum {
    UVA_GUARD_NONE_YET = 0, /* no stack has been made */
    UVA_GUARD_MADVISE,      /* MADV_GUARD_INSTALL: costs no mapping */
    UVA_GUARD_MPROTECT      /* two mappings a stack: vm.max_map_count limits */
} uva_guard_t;

typedef struct uva_stack_stats {
    size_t stack_bytes;      /* usable address space of a default stack */
    size_t in_use;           /* stacks that a task or a generator stands on */
    size_t pooled;           /* stacks kept for the next one */
    size_t peak_in_use;      /* the most that were in use at once */
    size_t arenas;           /* reservations that they are carved from */
    size_t reserved_bytes;   /* address space of all arenas */
    size_t high_water_bytes; /* deepest use known (debug, and watched tasks) */
    size_t room;             /* how many more the kernel's map limit allows;
                               SIZE_MAX where guards cost no mapping */
    uva_guard_t guard;
} uva_stack_stats_t;

/**
 * Writes every task: name, state, what it waits for, where it was spawned. Who
 * waits ahead of it is counted up to a hundred: a dump is linear in the tasks.
 *
 * Context:  the thread of runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     runtime and out borrowed
 * Since:    0.1
 */
UVA_API void uva_dump(uva_runtime_t *runtime, FILE *out);

/**
 * The tasks of a runtime that have not ended, in order of creation.
 *
 * Context:  the thread of runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  how many there are, also when more than capacity
 * Owns:     ret_tasks[i] are borrowed: valid until the next park
 * Since:    0.1
 */
UVA_API size_t uva_all_tasks(uva_runtime_t *runtime, uva_task_t *ret_tasks[],
                             size_t capacity);

/**
 * The numbers of a runtime's stack memory.
 *
 * Context:  the thread of runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL for NULL; UV_EPERM from another thread
 * Owns:     runtime borrowed; *ret_stats is filled
 * Since:    0.1
 */
UVA_API int uva_stack_stats(uva_runtime_t *runtime,
                            uva_stack_stats_t *ret_stats);

/**
 * How deep a task's stack has been used since it was last clean, in bytes.
 * With options.debug that is since the task began; else other tasks may have
 * stood on the same stack before.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  bytes; 0 for a task that has not begun or has ended
 * Owns:     task borrowed
 * Since:    0.1
 */
UVA_API size_t uva_stack_used(const uva_task_t *task);

/**
 * Gives the memory of pooled stacks back to the system, all but that of the
 * `keep` used last.
 *
 * Context:  the thread of runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     runtime borrowed
 * Since:    0.1
 */
UVA_API void uva_stack_trim(uva_runtime_t *runtime, size_t keep);

UVA_END_DECLS

#endif
