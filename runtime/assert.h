/*
 * Broken invariants. UVA__ASSERT stays on in release builds: what it guards is
 * the library's own bookkeeping, and going on would corrupt somebody's memory.
 * Mistakes that a program can survive are reports (report.h), not asserts.
 */
#ifndef UVA__ASSERT_H
#define UVA__ASSERT_H

#if defined(__GNUC__)
#define UVA__LIKELY(x)   __builtin_expect(!!(x), 1)
#define UVA__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define UVA__NORETURN    __attribute__((noreturn))
#define UVA__COLD        __attribute__((cold, noinline))
#define UVA__NOINLINE    __attribute__((noinline))
#define UVA__INLINE      inline __attribute__((always_inline))
#else
#define UVA__LIKELY(x)   (x)
#define UVA__UNLIKELY(x) (x)
#define UVA__NORETURN
#define UVA__COLD
#define UVA__NOINLINE
#define UVA__INLINE inline
#endif

/* Names the running task and where it was spawned, then aborts. */
UVA__NORETURN UVA__COLD void uva__abort(const char *format, ...);

#define UVA__ASSERT(fact) \
    (UVA__LIKELY(fact) ? (void)0 \
                       : uva__abort("broken invariant: %s (%s:%d); this is " \
                                    "a bug in uvawait or memory was " \
                                    "overwritten", \
                                    #fact, __FILE__, __LINE__))

#endif
