/*
 * What: how deep a stack has been used, and cleaning it for the next mark.
 *
 * How: fresh pages read as zero and stacks grow down, so the lowest word that
 * is not zero marks the deepest use. mincore() tells which pages were touched
 * at all; only these are read, from the lowest up, and usually the first one
 * ends the search: a shallow task costs one system call and a part of a page.
 *
 * A frame that reserved memory and never wrote to it, or wrote zeroes, is not
 * seen; what was called from below it is.
 *
 * Rejected: filling stacks with a pattern (dirties every page). A counter in
 * the switch (sees only where tasks park). /proc/self/pagemap, which would
 * know swapped pages as well: a descriptor and more system calls, for a number
 * that is used for choosing a stack size.
 *
 * Sanitizers and valgrind hold memory below the stack pointer to be nobody's:
 * the two functions that touch it there are exempt.
 *
 * If you change this: uva__stacks_trim() leaves what parked_floor says.
 */
#include "stack.h"

#include "sanitizers.h"

#include <stdint.h>
#include <sys/mman.h>

#ifdef UVA__HAVE_VALGRIND
#include <valgrind/memcheck.h>
#else
#define VALGRIND_DISABLE_ERROR_REPORTING          ((void)0)
#define VALGRIND_ENABLE_ERROR_REPORTING           ((void)0)
#define VALGRIND_MAKE_MEM_DEFINED(address, bytes) 0
#endif

/* What may still be needed below the stack pointer of a parked fiber: the 128
 * bytes that x86-64 lets a leaf function use, and what the ucontext fallback
 * has below the context that it calls the stack pointer. */
#define BELOW_SP_BYTES ((size_t)256)

/* From here on whole pages are dropped rather than filled with zeroes. */
#define WORTH_DROPPING_PAGES 4

#if defined(__GNUC__)
#define UNCHECKED \
    __attribute__((no_sanitize("address"), no_sanitize("thread"), noinline))
#else
#define UNCHECKED
#endif

static uintptr_t *first_used_word(const uva__stack_t *stack);
static uintptr_t *first_nonzero(char *low, const char *end);
static void zero(char *low, const char *end);
static char *parked_end(const uva__stack_t *stack);
static char *page_floor(const uva__stack_t *stack, const char *address);

static size_t page_bytes_of(const uva__stack_t *stack) {
    return stack->class->area_bytes - stack->class->bytes;
}

size_t uva__stack_used(const uva__stack_t *stack) {
    const uintptr_t *word = first_used_word(stack);
    if (word == NULL)
        return 0;
    size_t used = (size_t)(uva__stack_top(stack) - (const char *)word);
    if (stack->class->high_water < used)
        stack->class->high_water = used;
    return used;
}

void uva__stack_scrub(uva__stack_t *stack) {
    char *end = parked_end(stack);
    char *low = (char *)first_used_word(stack);
    if (low == NULL || low >= end)
        return;
    char *whole = page_floor(stack, end);
    low = page_floor(stack, low);
    if (whole > low &&
        (size_t)(whole - low) >= WORTH_DROPPING_PAGES * page_bytes_of(stack) &&
        madvise(low, (size_t)(whole - low), MADV_DONTNEED) == 0)
        low = whole;
    zero(low, end);
}

char *uva__stack_parked_floor(const uva__stack_t *stack) {
    char *top_page = page_floor(stack, uva__stack_top(stack) - 1);
    char *parked = page_floor(stack, parked_end(stack));
    return parked < top_page ? parked : top_page;
}

/* The word that marks the deepest use, or NULL when the stack is untouched. */
static uintptr_t *first_used_word(const uva__stack_t *stack) {
    unsigned char touched[128];
    size_t page = page_bytes_of(stack);
    char *low = stack->fiber.low;
    char *top = uva__stack_top(stack);
    char *area_end = low + stack->class->area_bytes;
    while (low < area_end) {
        size_t pages = (size_t)(area_end - low) / page;
        if (pages > sizeof touched)
            pages = sizeof touched;
        /* Cannot fail on a mapping of ours; if it does, all pages are read. */
        bool known = mincore(low, pages * page, (void *)touched) == 0;
        for (size_t i = 0; i < pages; i++, low += page) {
            if (known && (touched[i] & 1) == 0)
                continue;
            char *end = low + page < top ? low + page : top;
            uintptr_t *word = first_nonzero(low, end);
            if (word != NULL)
                return word;
        }
    }
    return NULL;
}

UNCHECKED static uintptr_t *first_nonzero(char *low, const char *end) {
    volatile uintptr_t *word = (volatile uintptr_t *)(void *)low;
    VALGRIND_DISABLE_ERROR_REPORTING;
    while ((const volatile char *)word < end && *word == 0)
        word++;
    /* What valgrind holds to be undefined decided where the loop ended. */
    uintptr_t *found = (uintptr_t *)word;
    (void)VALGRIND_MAKE_MEM_DEFINED(&found, sizeof found);
    VALGRIND_ENABLE_ERROR_REPORTING;
    return (const char *)found < end ? found : NULL;
}

/* Not memset(), which sanitizers intercept. */
UNCHECKED static void zero(char *low, const char *end) {
    volatile uintptr_t *word = (volatile uintptr_t *)(void *)low;
    VALGRIND_DISABLE_ERROR_REPORTING;
    for (; (const volatile char *)word < end; word++)
        *word = 0;
    VALGRIND_ENABLE_ERROR_REPORTING;
}

/* Everything of a parked stack below this address is dead; word aligned. A
 * stack pointer that does not lie on the stack (the ucontext fallback under a
 * sanitizer that moves locals away) says nothing: then nothing is dead. */
static char *parked_end(const uva__stack_t *stack) {
    char *low = stack->fiber.low;
    uintptr_t depth = (uintptr_t)stack->fiber.sp - (uintptr_t)low;
    if (depth >= stack->fiber.bytes || depth < BELOW_SP_BYTES)
        return low;
    return low + (depth & ~(sizeof(uintptr_t) - 1)) - BELOW_SP_BYTES;
}

static char *page_floor(const uva__stack_t *stack, const char *address) {
    size_t page = page_bytes_of(stack);
    char *low = stack->fiber.low;
    return low + (size_t)(address - low) / page * page;
}
