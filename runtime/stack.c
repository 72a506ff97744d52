/*
 * What: the pools of stacks, by size; slow paths of acquire; trim and purge.
 *
 * How: stack.h has the states. The default size is a class of its own, found
 * without a search; other sizes are rounded up to one of four per doubling, so
 * that however many different sizes are asked for, few classes exist and
 * released stacks find a taker. A pool is a chain with the last released
 * first: it is the one that is still in the caches. Trimmed stacks are always
 * the far end of their chain, so a count says which they are and the hot path
 * marks nothing.
 *
 * Giving back is MADV_DONTNEED, not MADV_FREE: it costs more when the page is
 * used again, but what is gone is seen to be gone (RSS, the high-water mark),
 * and it only meets stacks that lay idle. Guards survive it. Locked pages
 * refuse it, as their owner wanted.
 *
 * Rejected: trimming by age (needs a clock at each release); giving back the
 * parked page as well by default (2 us a page when it comes back, and the
 * fiber has to be made anew): purge does it when asked.
 *
 * If you change this: the states in stack.h.
 */
#include "stack.h"

#include "advise.h"
#include "sanitizers.h"
#include "stack_arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SMALLEST_BYTES ((size_t)16 * 1024)
#define LARGEST_BYTES  (SIZE_MAX / 4)

/* Instrumented frames are larger by about so much. */
#if UVA__ASAN
#define FRAME_FACTOR 3
#elif UVA__TSAN
#define FRAME_FACTOR 2
#else
#define FRAME_FACTOR 1
#endif

/* Ranges on their way to one uva__advise(). */
typedef struct batch {
    struct iovec ranges[UVA__ADVISE_MAX];
    size_t count;
} batch_t;

static void class_init(uva__stack_class_t *class, const uva__guards_t *guards,
                       size_t bytes);
static uva__stack_class_t *class_for(uva__stacks_t *stacks, size_t bytes,
                                     const char **ret_why);
static size_t round_to_pages(size_t bytes, size_t page_bytes);
static size_t round_to_class(size_t bytes, size_t page_bytes);
static void trim_class(uva__stack_class_t *class, size_t keep);
static void purge_class(uva__stack_class_t *class, size_t keep);
static void batch_add(batch_t *batch, char *low, const char *end);
static void batch_flush(batch_t *batch);

void uva__stacks_init(uva__stacks_t *stacks, size_t default_bytes,
                      uva__entry_fn entry) {
    memset(stacks, 0, sizeof *stacks);
    uva__guards_init(&stacks->guards);
    stacks->entry = entry;
    if (default_bytes == 0)
        default_bytes = UVA__STACK_DEFAULT_BYTES;
    if (default_bytes > LARGEST_BYTES)
        default_bytes = LARGEST_BYTES; /* which acquire then refuses */
    class_init(&stacks->standard, &stacks->guards,
               round_to_pages(default_bytes, stacks->guards.page_bytes));
}

void uva__stacks_term(uva__stacks_t *stacks) {
    uva__stack_class_t *class = &stacks->standard;
    while (class != NULL) {
        uva__stack_class_t *next = class->next;
        UVA__ASSERT(class->live == class->pooled);
        for (uva__stack_t *stack = class->pool; stack; stack = stack->next)
            uva__fiber_term(&stack->fiber);
        uva__arena_free_all(class);
        if (class != &stacks->standard)
            free(class);
        class = next;
    }
    memset(stacks, 0, sizeof *stacks);
}

static void class_init(uva__stack_class_t *class, const uva__guards_t *guards,
                       size_t bytes) {
    size_t page = guards->page_bytes;
    memset(class, 0, sizeof *class);
    class->bytes = bytes;
    class->area_bytes = bytes + page;
    class->stride = class->area_bytes + guards->guard_bytes;
    if (class->stride / page % 2 == 0)
        class->stride += page;
}

uva__stack_t *uva__stack_acquire_slow(uva__stacks_t *stacks, size_t bytes,
                                      const char **ret_why) {
    uva__stack_class_t *class = class_for(stacks, bytes, ret_why);
    if (class == NULL)
        return NULL;
    if (class->pool != NULL)
        return uva__stack_pop(class);
    uva__stack_t *stack = uva__arena_take(stacks, class, ret_why);
    if (stack == NULL)
        return NULL;
    class->live++;
    if (class->peak < class->live)
        class->peak = class->live;
    uva__fiber_init(&stack->fiber, stack->fiber.low, stack->fiber.bytes,
                    stacks->entry, stack);
    return stack;
}

/* The class for a size, made if it is new. */
static uva__stack_class_t *class_for(uva__stacks_t *stacks, size_t bytes,
                                     const char **ret_why) {
    uva__stack_class_t **place = &stacks->standard.next;
    size_t page = stacks->guards.page_bytes;
    size_t asked = bytes == 0 ? stacks->standard.bytes : bytes;
    if (asked >= LARGEST_BYTES) {
        *ret_why = "stack_bytes is larger than the address space";
        return NULL;
    }
    if (bytes == 0 || round_to_pages(bytes, page) == stacks->standard.bytes)
        return &stacks->standard;
    bytes = round_to_class(round_to_pages(bytes, page), page);
    for (; *place != NULL; place = &(*place)->next) {
        if ((*place)->bytes == bytes)
            return *place;
    }
    uva__stack_class_t *class = calloc(1, sizeof *class);
    if (class == NULL) {
        *ret_why = "no memory for a task stack of another size";
        return NULL;
    }
    class_init(class, &stacks->guards, bytes);
    *place = class;
    return class;
}

static size_t round_to_pages(size_t bytes, size_t page_bytes) {
    if (bytes < SMALLEST_BYTES)
        bytes = SMALLEST_BYTES;
    if (bytes < LARGEST_BYTES)
        bytes *= FRAME_FACTOR;
    return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

/* Up to the next of 4, 5, 6, 7 times a power of two of pages. */
static size_t round_to_class(size_t bytes, size_t page_bytes) {
    size_t step = page_bytes;
    while (bytes / step >= 8)
        step *= 2;
    return (bytes + step - 1) / step * step;
}

bool uva__stacks_ensure(uva__stacks_t *stacks, size_t count,
                        const char **ret_why) {
    uva__stack_class_t *class = &stacks->standard;
    while (class->live + class->raw_count < count) {
        if (!uva__arena_carve(stacks, class, ret_why))
            return false;
    }
    return true;
}

void uva__stacks_trim_slow(uva__stacks_t *stacks, size_t keep) {
    uva__stack_class_t *class = &stacks->standard;
    for (; class != NULL; class = class->next) {
        if (class->pooled - class->trimmed > keep)
            trim_class(class, keep);
    }
}

static void trim_class(uva__stack_class_t *class, size_t keep) {
    batch_t batch = {.count = 0};
    uva__stack_t *stack = class->pool;
    size_t fresh = class->pooled - class->trimmed;
    for (size_t i = 0; i < fresh; i++, stack = stack->next) {
        if (i >= keep)
            batch_add(&batch, stack->fiber.low, uva__stack_parked_floor(stack));
    }
    batch_flush(&batch);
    class->trimmed = class->pooled - keep;
}

void uva__stacks_purge(uva__stacks_t *stacks, size_t keep) {
    uva__stack_class_t *class = &stacks->standard;
    if (UVA__FIBER_NEEDS_RETIRE) {
        uva__stacks_trim(stacks, keep);
        return;
    }
    for (; class != NULL; class = class->next) {
        if (class->pooled > keep)
            purge_class(class, keep);
    }
}

static void purge_class(uva__stack_class_t *class, size_t keep) {
    batch_t batch = {.count = 0};
    uva__stack_t **place = &class->pool;
    for (size_t i = 0; i < keep; i++)
        place = &(*place)->next;
    uva__stack_t *stack = *place;
    *place = NULL;
    while (stack != NULL) {
        uva__stack_t *next = stack->next;
        uva__fiber_term(&stack->fiber);
        batch_add(&batch, stack->fiber.low,
                  stack->fiber.low + class->area_bytes);
        stack->next = class->raw;
        class->raw = stack;
        stack = next;
    }
    batch_flush(&batch);
    size_t gone = class->pooled - keep;
    class->raw_count += gone;
    class->live -= gone;
    class->pooled = keep;
    class->trimmed = class->trimmed > gone ? class->trimmed - gone : 0;
}

static void batch_add(batch_t *batch, char *low, const char *end) {
    if (low >= end)
        return;
    batch->ranges[batch->count].iov_base = low;
    batch->ranges[batch->count].iov_len = (size_t)(end - low);
    batch->count++;
    if (batch->count == UVA__ADVISE_MAX)
        batch_flush(batch);
}

/* A refusal (locked pages) leaves that range as it is; the rest goes on. */
static void batch_flush(batch_t *batch) {
    size_t done = 0;
    while (done < batch->count) {
        int code = 0;
        done += uva__advise(batch->ranges + done, batch->count - done,
                            MADV_DONTNEED, &code);
        done += code != 0;
    }
    batch->count = 0;
}

uva__stack_t *uva__stacks_pooled(const uva__stacks_t *stacks,
                                 const uva__stack_t *after) {
    const uva__stack_class_t *class =
        after != NULL ? after->class : &stacks->standard;
    uva__stack_t *stack = after != NULL ? after->next : class->pool;
    while (stack == NULL && class->next != NULL) {
        class = class->next;
        stack = class->pool;
    }
    return stack;
}

size_t uva__stacks_room(const uva__stacks_t *stacks) {
    const uva__stack_class_t *class = &stacks->standard;
    if (stacks->guards.kind != UVA_GUARD_MPROTECT)
        return SIZE_MAX;
    size_t room = stacks->guards.map_room;
    for (; class != NULL; class = class->next)
        room += class->raw_count;
    return room;
}

void uva__stacks_stats(const uva__stacks_t *stacks,
                       uva_stack_stats_t *ret_stats) {
    const uva__stack_class_t *class = &stacks->standard;
    memset(ret_stats, 0, sizeof *ret_stats);
    ret_stats->stack_bytes = class->bytes;
    ret_stats->guard = stacks->guards.kind;
    ret_stats->room = uva__stacks_room(stacks);
    for (; class != NULL; class = class->next) {
        ret_stats->in_use += class->live - class->pooled;
        ret_stats->pooled += class->pooled;
        ret_stats->peak_in_use += class->peak;
        if (ret_stats->high_water_bytes < class->high_water)
            ret_stats->high_water_bytes = class->high_water;
        for (const uva__arena_t *arena = class->arenas; arena != NULL;
             arena = arena->next) {
            ret_stats->arenas++;
            ret_stats->reserved_bytes += arena->bytes;
        }
    }
}

bool uva__stacks_guard_hit(const uva__stacks_t *stacks,
                           const uva__stack_t *current, const void *address) {
    if (current == NULL)
        return false;
    uintptr_t low = (uintptr_t)current->fiber.low;
    uintptr_t hit = (uintptr_t)address;
    return hit < low && low - hit <= stacks->guards.guard_bytes;
}
