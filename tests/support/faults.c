/*
 * faults.c - the wrapped functions, their counters and armed failures.
 *
 * The linker turns each call of SYMBOL in the library or the test into
 * __wrap_SYMBOL, defined here, and lets it reach the true one by the name
 * __real_SYMBOL.
 *
 * Everything is a relaxed atomic: a lock here would order the calls of two
 * threads and so hide from ThreadSanitizer the very races that it looks for.
 * So the live blocks are kept in an open table that is searched within a
 * window: a slot is taken and given back by one compare-and-swap. A block that
 * finds its window full is not tracked; with 64 slots a window and 2^21 slots
 * that does not happen in tests.
 *
 * Rejected: a header in front of each block (blocks that libc allocated would
 * be freed wrongly, and AddressSanitizer would see other sizes), and counting
 * mallocs minus frees (wrong for the same foreign blocks).
 *
 * If you add a WRAP_OWN line to the list, write its wrapper here.
 */
#include "support/faults.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

/* What is known of one kind of call. */
typedef struct {
    atomic_ulong calls;    /* so far */
    atomic_ulong injected; /* failed on request since the last clear */
    atomic_ulong nth;      /* calls left until the one that fails; 0: none */
    atomic_ulong every;    /* period of failures; 0: none */
    atomic_ulong phase;    /* calls since `every` was set */
    atomic_int code;       /* what a failure gives, negative */
} fault_state_t;

static fault_state_t states[FAULT_KINDS];

void faults_fail_with(fault_t kind, unsigned long nth, int code) {
    fault_state_t *state = &states[kind];

    atomic_store(&state->nth, 0);
    atomic_store(&state->every, 0);
    atomic_store(&state->code, code);
    atomic_store(&state->nth, nth);
}

void faults_fail(fault_t kind, unsigned long nth) {
    faults_fail_with(kind, nth, UV_ENOMEM);
}

void faults_fail_every(fault_t kind, unsigned long nth, int code) {
    fault_state_t *state = &states[kind];

    faults_fail_with(kind, 0, code);
    atomic_store(&state->phase, 0);
    atomic_store(&state->every, nth);
}

unsigned long faults_clear(void) {
    unsigned long injected = 0;

    for (int i = 0; i < FAULT_KINDS; i++) {
        atomic_store(&states[i].nth, 0);
        atomic_store(&states[i].every, 0);
        injected += atomic_exchange(&states[i].injected, 0);
    }
    return injected;
}

unsigned long faults_injected(fault_t kind) {
    return atomic_load(&states[kind].injected);
}

unsigned long faults_calls(fault_t kind) {
    return atomic_load(&states[kind].calls);
}

unsigned long faults_allocations(void) {
    return faults_calls(FAULT_MALLOC) + faults_calls(FAULT_CALLOC) +
           faults_calls(FAULT_REALLOC) + faults_calls(FAULT_STRDUP) +
           faults_calls(FAULT_STRNDUP) + faults_calls(FAULT_ALIGNED_ALLOC) +
           faults_calls(FAULT_POSIX_MEMALIGN);
}

const char *faults_name(fault_t kind) {
    static const char *const names[] = {
#define WRAP_OWN(name, symbol)                        #symbol,
#define WRAP_INT(name, symbol, parameters, arguments) #symbol,
#define WRAP_VOID                                     WRAP_INT
#define WRAP_U64                                      WRAP_INT
#include "support/faults_list.h"
#undef WRAP_OWN
#undef WRAP_INT
#undef WRAP_VOID
#undef WRAP_U64
    };

    return names[kind];
}

#ifdef SUPPORT_NO_FAULTS

long faults_live_allocations(void) {
    return 0;
}

long faults_live_mappings(void) {
    return 0;
}

#else

#define RELAXED memory_order_relaxed

/* Counts a call and tells whether it is to fail: 0, or the negative code. */
static int strike(fault_t kind) {
    fault_state_t *state = &states[kind];
    bool fail = false;

    atomic_fetch_add_explicit(&state->calls, 1, RELAXED);
    unsigned long left = atomic_load_explicit(&state->nth, RELAXED);
    while (left > 0 && !atomic_compare_exchange_weak_explicit(
                           &state->nth, &left, left - 1, RELAXED, RELAXED)) {}
    if (left == 1) {
        fail = true;
    }
    unsigned long every = atomic_load_explicit(&state->every, RELAXED);
    if (every > 0) {
        unsigned long turn =
            atomic_fetch_add_explicit(&state->phase, 1, RELAXED) + 1;
        fail = turn % every == 0;
    }
    if (!fail) {
        return 0;
    }
    atomic_fetch_add_explicit(&state->injected, 1, RELAXED);
    return atomic_load_explicit(&state->code, RELAXED);
}

/* ---- live blocks -------------------------------------------------------- */

#define TABLE_SLOTS  ((size_t)1 << 21)
#define TABLE_WINDOW ((size_t)64)

static _Atomic(uintptr_t) table[TABLE_SLOTS];
static atomic_long live_blocks;
static atomic_long live_bytes;

static size_t table_start(uintptr_t key) {
    uint64_t hash = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(hash >> 20) & (TABLE_SLOTS - TABLE_WINDOW);
}

/* A block's entry is its complement: leak checkers must not take the table for
 * a reference to it. */
static uintptr_t table_key(const void *block) {
    return ~(uintptr_t)block;
}

/* Replaces one slot `from` by `to` in the window of key. */
static bool table_swap(uintptr_t key, uintptr_t from, uintptr_t to) {
    size_t start = table_start(key);

    for (size_t i = start; i < start + TABLE_WINDOW; i++) {
        uintptr_t seen = atomic_load_explicit(&table[i], RELAXED);
        if (seen == from && atomic_compare_exchange_strong_explicit(
                                &table[i], &seen, to, RELAXED, RELAXED)) {
            return true;
        }
    }
    return false;
}

static void *track(void *block) {
    uintptr_t key = table_key(block);

    if (block != NULL && table_swap(key, 0, key)) {
        atomic_fetch_add_explicit(&live_blocks, 1, RELAXED);
    }
    return block;
}

/* key is table_key() of a block; false if that was not tracked. */
static bool untrack(uintptr_t key) {
    if (!table_swap(key, key, 0)) {
        return false;
    }
    atomic_fetch_sub_explicit(&live_blocks, 1, RELAXED);
    return true;
}

long faults_live_allocations(void) {
    return atomic_load(&live_blocks);
}

long faults_live_mappings(void) {
    return atomic_load(&live_bytes);
}

/* ---- memory ------------------------------------------------------------- */

/* A wrapper and the true function have the same type. */
#define DECLARE(result, symbol, parameters) \
    result __wrap_##symbol parameters; \
    result __real_##symbol parameters

DECLARE(void *, malloc, (size_t bytes));
DECLARE(void *, calloc, (size_t count, size_t bytes));
DECLARE(void *, realloc, (void *block, size_t bytes));
DECLARE(void, free, (void *block));
DECLARE(char *, strdup, (const char *text));
DECLARE(char *, strndup, (const char *text, size_t bytes));
DECLARE(void *, aligned_alloc, (size_t alignment, size_t bytes));
DECLARE(int, posix_memalign, (void **ret, size_t alignment, size_t bytes));
DECLARE(void *, mmap,
        (void *at, size_t bytes, int prot, int flags, int fd, off_t offset));
DECLARE(int, munmap, (void *at, size_t bytes));
DECLARE(int, madvise, (void *at, size_t bytes, int advice));
DECLARE(int, mprotect, (void *at, size_t bytes, int prot));

/* As strike, with errno set as libc's functions do. */
static bool strike_errno(fault_t kind) {
    int code = strike(kind);

    if (code != 0) {
        errno = -code;
    }
    return code != 0;
}

void *__wrap_malloc(size_t bytes) {
    return strike_errno(FAULT_MALLOC) ? NULL : track(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes) {
    return strike_errno(FAULT_CALLOC) ? NULL
                                      : track(__real_calloc(count, bytes));
}

void *__wrap_realloc(void *block, size_t bytes) {
    if (strike_errno(FAULT_REALLOC)) {
        return NULL;
    }
    /* Untracked first: once realloc has run, another thread may already have
     * been given the old address. */
    uintptr_t key = table_key(block);
    bool tracked = untrack(key);
    void *moved = __real_realloc(block, bytes);
    if (moved == NULL && bytes > 0 && tracked) {
        track((void *)~key);
    }
    return track(moved);
}

void __wrap_free(void *block) {
    strike(FAULT_FREE);
    untrack(table_key(block));
    __real_free(block);
}

char *__wrap_strdup(const char *text) {
    return strike_errno(FAULT_STRDUP) ? NULL : track(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t bytes) {
    return strike_errno(FAULT_STRNDUP) ? NULL
                                       : track(__real_strndup(text, bytes));
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
    return strike_errno(FAULT_ALIGNED_ALLOC)
               ? NULL
               : track(__real_aligned_alloc(alignment, bytes));
}

int __wrap_posix_memalign(void **ret, size_t alignment, size_t bytes) {
    int code = strike(FAULT_POSIX_MEMALIGN);

    if (code != 0) {
        return -code;
    }
    int result = __real_posix_memalign(ret, alignment, bytes);
    if (result == 0) {
        track(*ret);
    }
    return result;
}

/* ---- mappings ----------------------------------------------------------- */

static long whole_pages(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (long)((bytes + page - 1) / page * page);
}

void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd,
                  off_t offset) {
    if (strike_errno(FAULT_MMAP)) {
        return MAP_FAILED;
    }
    void *mapped = __real_mmap(at, bytes, prot, flags, fd, offset);
    if (mapped != MAP_FAILED && (flags & MAP_FIXED) == 0) {
        atomic_fetch_add_explicit(&live_bytes, whole_pages(bytes), RELAXED);
    }
    return mapped;
}

int __wrap_munmap(void *at, size_t bytes) {
    if (strike_errno(FAULT_MUNMAP)) {
        return -1;
    }
    int result = __real_munmap(at, bytes);
    if (result == 0) {
        atomic_fetch_sub_explicit(&live_bytes, whole_pages(bytes), RELAXED);
    }
    return result;
}

int __wrap_madvise(void *at, size_t bytes, int advice) {
    return strike_errno(FAULT_MADVISE) ? -1 : __real_madvise(at, bytes, advice);
}

int __wrap_mprotect(void *at, size_t bytes, int prot) {
    return strike_errno(FAULT_MPROTECT) ? -1 : __real_mprotect(at, bytes, prot);
}

/* ---- libuv -------------------------------------------------------------- */

#define WRAP_OWN(name, symbol)
#define WRAP_INT(name, symbol, parameters, arguments) \
    DECLARE(int, symbol, parameters); \
    int __wrap_##symbol parameters { \
        int code = strike(FAULT_##name); \
        return code != 0 ? code : __real_##symbol arguments; \
    }
#define WRAP_VOID(name, symbol, parameters, arguments) \
    DECLARE(void, symbol, parameters); \
    void __wrap_##symbol parameters { \
        strike(FAULT_##name); \
        __real_##symbol arguments; \
    }
#define WRAP_U64(name, symbol, parameters, arguments) \
    DECLARE(uint64_t, symbol, parameters); \
    uint64_t __wrap_##symbol parameters { \
        strike(FAULT_##name); \
        return __real_##symbol arguments; \
    }
#include "support/faults_list.h"

#endif
