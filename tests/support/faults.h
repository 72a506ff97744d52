/*
 * faults.h - calls of the library that tests count and make fail.
 *
 * Every test program is linked with --wrap for the symbols in faults_list.h,
 * so that the library's and the test's own calls come through faults.c; what
 * libuv, check and libc call inside themselves does not. Production code
 * carries no hooks for it.
 *
 * The usual loop over every failure point of an operation:
 *
 *     for (unsigned n = 1;; n++) {
 *         faults_fail(FAULT_MALLOC, n);
 *         int code = operation();
 *         bool hit = faults_clear() > 0;
 *         if (!hit) {
 *             break;                  (fewer than n calls: all were tried)
 *         }
 *         ck_assert_int_eq(code, UV_ENOMEM);
 *     }
 *
 * All functions may be called from any thread. In a program that was built
 * without wrapping (no-faults) nothing fails and every counter reads 0.
 */
#ifndef SUPPORT_FAULTS_H
#define SUPPORT_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* FAULT_MALLOC, FAULT_UV_TIMER_START, ...: one for each line of the list. */
typedef enum {
#define WRAP_OWN(name, symbol)                        FAULT_##name,
#define WRAP_INT(name, symbol, parameters, arguments) FAULT_##name,
#define WRAP_VOID                                     WRAP_INT
#define WRAP_U64                                      WRAP_INT
#include "support/faults_list.h"
#undef WRAP_OWN
#undef WRAP_INT
#undef WRAP_VOID
#undef WRAP_U64
    FAULT_KINDS
} fault_t;

/* Makes the nth call from now (1 is the next) fail with UV_ENOMEM: libuv
 * functions return it, libc's set errno and return their own failure. Replaces
 * what was armed for this kind. Kinds that cannot fail (free, uv_close, ...)
 * ignore it. */
void faults_fail(fault_t kind, unsigned long nth);

/* The same with another negative libuv code, say UV_EAGAIN. */
void faults_fail_with(fault_t kind, unsigned long nth, int code);

/* Makes every nth call from now fail with code; 1 is all of them. */
void faults_fail_every(fault_t kind, unsigned long nth, int code);

/* Disarms everything and returns how many failures there were since the last
 * faults_clear, of all kinds. Counters of calls stay. */
unsigned long faults_clear(void);

/* How many calls of this kind failed on request since the last faults_clear. */
unsigned long faults_injected(fault_t kind);

/* Calls so far, failed ones included. Compare two readings to prove that a path
 * makes no such call. */
unsigned long faults_calls(fault_t kind);

/* The sum over malloc, calloc, realloc, strdup, strndup, aligned_alloc and
 * posix_memalign: "this path allocates nothing". */
unsigned long faults_allocations(void);

/* Blocks that were allocated through a wrapped call and are not yet freed. A
 * block that libc made (asprintf, getline) may be freed without being counted
 * here. */
long faults_live_allocations(void);

/* Bytes that are mapped through a wrapped mmap and not yet unmapped. A mapping
 * laid over an existing one (MAP_FIXED) counts nothing. */
long faults_live_mappings(void);

/* "malloc", "uv_timer_start", ... */
const char *faults_name(fault_t kind);

#endif
