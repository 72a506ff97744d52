/*
 * What: reserves address space in large arenas and carves stacks from them.
 *
 * How: an arena is one private anonymous mapping that holds, over and over, a
 * guard and the area of a stack above it:
 *
 *   base                 base + stride
 *   | guard | area ....... | guard | area ....... |        (addresses grow ->)
 *           ^low      top^-colour
 *
 * The stride is an odd number of pages, so that tops do not pile up in a few
 * sets of the TLB; each top is lowered by another multiple of a cache line
 * (colour), below 1 KiB so that a shallow task still fits one page. An area
 * has a page more than was asked for, which pays for the colour. Arenas double
 * from 16 stacks up to ARENA_BYTES_MAX; one that the kernel refuses is halved.
 *
 * MAP_NORESERVE: nearly all of it is never touched. MAP_STACK: from Linux 6.7
 * on it keeps huge pages away; madvise() does so before. Neither PROT_NONE nor
 * MAP_GROWSDOWN: opening parts up later would cost a map each.
 *
 * RLIMIT_AS counts what is reserved. Under such a limit arenas stay small
 * against it and an eighth is left to everybody else: the first to notice a
 * used up address space would be malloc().
 *
 * Rejected: a mapping per stack (each costs a map). Records inside the top
 * pages: a round over 100,000 tasks took twice as long. Records in the arena:
 * leak checkers do not look for pointers there.
 *
 * If you change this: stack_million in tests/ prints what it costs.
 */
#include "stack_arena.h"

#include "advise.h"
#include "sanitizers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Sanitizers keep shadow for what is mapped, and valgrind scans it. */
#if UVA__ASAN || UVA__TSAN
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#else
#define ARENA_BYTES_MAX ((size_t)1 << 30)
#endif
#define ARENA_STACKS_MIN ((size_t)16)
#define CARVE_MIN        ((size_t)4)
#define CACHE_LINE       ((size_t)64)
#define COLOURS          ((size_t)16)
#define SHARE_FOR_OTHERS 8  /* one part in so many of RLIMIT_AS is left alone */
#define SHARE_OF_ARENA   16 /* an arena is at most one part in so many of it */

#ifdef MAP_NORESERVE
#define ARENA_NORESERVE MAP_NORESERVE
#else
#define ARENA_NORESERVE 0
#endif
#ifdef __linux__
#define ARENA_STACK MAP_STACK
#else
#define ARENA_STACK 0 /* elsewhere it changes what the mapping does */
#endif

static uva__arena_t *arena_new(uva__stacks_t *stacks, uva__stack_class_t *class,
                               const char **ret_why);
static uva__arena_t *arena_with_records(size_t count);
static char *reserve(uva__stacks_t *stacks, const uva__stack_class_t *class,
                     size_t *count, const char **ret_why);
static size_t fitting(const uva__stacks_t *stacks,
                      const uva__stack_class_t *class, size_t count);
static size_t used_address_space(size_t page_bytes);
static const char *why_refused(uva__stacks_t *stacks, size_t bytes, int error);
static const char *why_over_limit(uva__stacks_t *stacks);

uva__stack_t *uva__arena_take(uva__stacks_t *stacks, uva__stack_class_t *class,
                              const char **ret_why) {
    if (class->raw == NULL && !uva__arena_carve(stacks, class, ret_why))
        return NULL;
    uva__stack_t *stack = class->raw;
    class->raw = stack->next;
    class->raw_count--;
    return stack;
}

/* The batch grows with what is there already, so that a small program guards
 * few and a large one pays one call for many. */
bool uva__arena_carve(uva__stacks_t *stacks, uva__stack_class_t *class,
                      const char **ret_why) {
    uva__arena_t *arena = class->arenas;
    if (arena == NULL || arena->carved == arena->count) {
        arena = arena_new(stacks, class, ret_why);
        if (arena == NULL)
            return false;
    }
    size_t batch = class->live > CARVE_MIN ? class->live : CARVE_MIN;
    if (batch > UVA__ADVISE_MAX)
        batch = UVA__ADVISE_MAX;
    if (batch > arena->count - arena->carved)
        batch = arena->count - arena->carved;
    char *first = arena->base + arena->carved * class->stride;
    size_t guarded = uva__guards_install(&stacks->guards, first, class->stride,
                                         batch, ret_why);
    /* From the last to the first, so that they are taken in address order. */
    for (size_t i = guarded; i-- > 0;) {
        size_t index = arena->carved + i;
        uva__stack_t *stack = &arena->stacks[index];
        memset(stack, 0, sizeof *stack);
        stack->class = class;
        stack->bytes = class->bytes;
        stack->fiber.low =
            first + i * class->stride + stacks->guards.guard_bytes;
        stack->fiber.bytes = class->area_bytes - index % COLOURS * CACHE_LINE;
        stack->next = class->raw;
        class->raw = stack;
    }
    arena->carved += guarded;
    class->raw_count += guarded;
    return guarded > 0;
}

void uva__arena_free_all(uva__stack_class_t *class) {
    while (class->arenas != NULL) {
        uva__arena_t *arena = class->arenas;
        class->arenas = arena->next;
        munmap(arena->base, arena->bytes);
        free(arena);
    }
    class->raw = NULL;
    class->raw_count = 0;
    class->next_count = 0;
}

static uva__arena_t *arena_new(uva__stacks_t *stacks, uva__stack_class_t *class,
                               const char **ret_why) {
    size_t most = ARENA_BYTES_MAX / class->stride;
    size_t count = class->next_count > 0 ? class->next_count : ARENA_STACKS_MIN;
    if (count > most)
        count = most > 0 ? most : 1;
    size_t wanted = count;
    char *base = reserve(stacks, class, &count, ret_why);
    if (base == NULL)
        return NULL;
    uva__arena_t *arena = arena_with_records(count);
    if (arena == NULL) {
        munmap(base, count * class->stride);
        *ret_why = "no memory for the records of more task stacks: let fewer "
                   "tasks live at once";
        return NULL;
    }
    arena->base = base;
    arena->bytes = count * class->stride;
    arena->next = class->arenas;
    class->arenas = arena;
    /* Locked memory is filled as soon as it is mapped: do not double it. */
    bool grow = count == wanted && !stacks->guards.locked;
    class->next_count = grow ? count * 2 : count;
    return arena;
}

static uva__arena_t *arena_with_records(size_t count) {
    size_t head = (sizeof(uva__arena_t) + CACHE_LINE - 1) / CACHE_LINE;
    size_t body = (count * sizeof(uva__stack_t) + CACHE_LINE - 1) / CACHE_LINE;
    char *memory = aligned_alloc(CACHE_LINE, (head + body) * CACHE_LINE);
    if (memory == NULL)
        return NULL;
    uva__arena_t *arena = (uva__arena_t *)(void *)memory;
    memset(arena, 0, sizeof *arena);
    arena->count = count;
    arena->stacks = (uva__stack_t *)(void *)(memory + head * CACHE_LINE);
    return arena;
}

/* Maps room for up to *count stacks and says in *count for how many. */
static char *reserve(uva__stacks_t *stacks, const uva__stack_class_t *class,
                     size_t *count, const char **ret_why) {
    size_t try = fitting(stacks, class, *count);
    if (try == 0) {
        *ret_why = why_over_limit(stacks);
        return NULL;
    }
    for (;; try /= 2) {
        size_t bytes = try * class->stride;
        void *base = mmap(
            NULL, bytes, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | ARENA_NORESERVE | ARENA_STACK, -1, 0);
        if (base != MAP_FAILED) {
#ifdef MADV_NOHUGEPAGE
            /* Fails on kernels without huge pages, where nothing is lost. */
            (void)madvise(base, bytes, MADV_NOHUGEPAGE);
#endif
            *count = try;
            return base;
        }
        if (try == 1) {
            *ret_why = why_refused(stacks, bytes, errno);
            return NULL;
        }
    }
}

/* How many of count stacks an arena may hold under RLIMIT_AS. */
static size_t fitting(const uva__stacks_t *stacks,
                      const uva__stack_class_t *class, size_t count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return count;
    size_t all = (size_t)limit.rlim_cur;
    size_t used = used_address_space(stacks->guards.page_bytes);
    size_t ours = all - all / SHARE_FOR_OTHERS;
    if (used >= ours)
        return 0;
    size_t most = (ours - used) / class->stride;
    size_t share = all / SHARE_OF_ARENA / class->stride;
    if (most > share && share > 0)
        most = share;
    return count < most ? count : most;
}

/* 0 when /proc is missing: then mmap() itself says when it is enough. */
static size_t used_address_space(size_t page_bytes) {
    char text[64];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    return strtoul(text, NULL, 10) * page_bytes;
}

/* Why mmap() said error; the text is in guards.why or static. */
static const char *why_refused(uva__stacks_t *stacks, size_t bytes, int error) {
    struct rlimit limit;
    if (error == EAGAIN)
        return "stacks are locked into memory (mlockall) and the limit of "
               "locked memory is used up: raise it (ulimit -l), or do without "
               "MCL_FUTURE";
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        return why_over_limit(stacks);
    if (uva__guards_maps_exhausted(&stacks->guards))
        return stacks->guards.why;
    snprintf(stacks->guards.why, sizeof stacks->guards.why,
             "the system refused %zu KiB of address space for a task stack "
             "(mmap: %s): use smaller stacks (stack_bytes), fewer tasks at "
             "once, or look at vm.overcommit_memory",
             bytes / 1024, strerror(error));
    return stacks->guards.why;
}

static const char *why_over_limit(uva__stacks_t *stacks) {
    struct rlimit limit;
    unsigned long long kib = 0;
    if (getrlimit(RLIMIT_AS, &limit) == 0)
        kib = limit.rlim_cur / 1024;
    snprintf(stacks->guards.why, sizeof stacks->guards.why,
             "the limit of address space (RLIMIT_AS, ulimit -v: %llu KiB) "
             "leaves no room for another task stack: raise it, use smaller "
             "stacks (stack_bytes), or let fewer tasks live at once",
             kib);
    return stacks->guards.why;
}
