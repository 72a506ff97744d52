/**
 * What every other header stands on: visibility, the basic types, limits.
 */
#ifndef UVAWAIT_BASE_H
#define UVAWAIT_BASE_H

/* libuv's headers need POSIX types, which -std=c11 alone hides. */
#if defined(__STRICT_ANSI__) && !defined(__cplusplus)
#if !defined(_FEATURES_H) && !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L
#elif defined(_FEATURES_H) && !defined(__USE_XOPEN2K)
#error "uvawait needs POSIX: compile with -std=gnu11 or -D_GNU_SOURCE"
#endif
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#ifdef __cplusplus
#define UVA_BEGIN_DECLS extern "C" {
#define UVA_END_DECLS   }
#else
#define UVA_BEGIN_DECLS
#define UVA_END_DECLS
#endif

/* UVA_API marks what the library exports. UVA_MUST_CHECK marks results that
 * are an owned reference: dropping one is always a leak. UVA_PARKS marks what
 * may suspend the calling task; it is for readers, grep and clang's tools. */
#if defined(__GNUC__)
#define UVA_API        __attribute__((visibility("default")))
#define UVA_MUST_CHECK __attribute__((warn_unused_result))
#define UVA_PRINTF(format_at, first_at) \
    __attribute__((format(printf, format_at, first_at)))
#else
#define UVA_API
#define UVA_MUST_CHECK
#define UVA_PRINTF(format_at, first_at)
#endif
#if defined(__clang__)
#define UVA_PARKS __attribute__((annotate("uva_parks")))
#else
#define UVA_PARKS
#endif

/* No limit of time. Sums with it saturate. */
#define UVA_FOREVER UINT64_MAX

typedef struct uva_runtime uva_runtime_t;
typedef struct uva_future uva_future_t;
typedef struct uva_locals uva_locals_t;

/* The same type: the name says what is meant. */
typedef uva_future_t uva_task_t;

/* A task's body. Its code is the task's outcome: >= 0 a success. */
typedef int (*uva_fn)(void *arg);

/* A place in an intrusive list. Private; public only for its size. */
typedef struct uva_link {
    struct uva_link *next;
    struct uva_link *prev;
} uva_link_t;

/* An intrusive list, first in, first out. All zero is empty. Private; public
 * only so that what holds one can have a static initialiser. */
typedef struct uva_list {
    uva_link_t *first;
    uva_link_t *last;
} uva_list_t;

/* Who waits for something, first come, first served, and what dumps call it.
 * Private; public only for its size. */
typedef struct uva_waiters {
    uva_list_t list;
    const char *name; /* borrowed; NULL: none was given */
} uva_waiters_t;

/* clang-format off */
#define UVA_WAITERS_INIT { { NULL, NULL }, NULL }
/* clang-format on */

/* A field that several threads use; plain in C++, which only needs its size. */
#ifdef __cplusplus
#define UVA_ATOMIC(type) type
#else
#define UVA_ATOMIC(type) _Atomic(type)
#endif

/* How other threads have something done in the loop's. Private; public only for
 * its size. */
typedef struct uva_ping {
    struct uva_ping *next; /* on the runtime's list of those that were fired */
    uva_runtime_t *runtime;
    void (*run)(struct uva_ping *ping);
    UVA_ATOMIC(unsigned) state;
} uva_ping_t;

/* What a task holds and must give back before it ends, in a list that hangs on
 * the task; if it does not, its end calls `abandon`. Private; public only for
 * its size. */
typedef struct uva_held {
    struct uva_held *next;
    struct uva_held **at; /* what points here; NULL: held by no task */
    void (*abandon)(struct uva_held *held);
} uva_held_t;

/* clang-format off */
#define UVA_HELD_INIT { NULL, NULL, NULL }
/* clang-format on */

/* Where a call stands and what it was given, as one literal
 * "file:line\targuments": names and places of creation in reports and dumps
 * cost one pointer. */
#define UVA_STRING_(text)   #text
#define UVA_STRING(text)    UVA_STRING_(text)
#define UVA_SITE(arguments) __FILE__ ":" UVA_STRING(__LINE__) "\t" arguments

#endif
