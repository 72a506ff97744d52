/**
 * Blocks that are left in order, whatever way they are left (GNU C):
 *
 *     UVA_WITH(lock, &lock) {
 *         UVA_CHECK(uva_sleep(10));
 *         if (nothing_to_do)
 *             return 0;
 *     }
 *
 * UVA_WITH(kind, self) enters, runs the block, and exits: at its end, by break
 * or continue (which leave the block, not a loop around it), by return, goto
 * and UVA_TRY(). The kinds:
 *
 *     lock, &lock            uva_lock_acquire() .. release
 *     semaphore, &semaphore  uva_semaphore_acquire() .. release
 *     reading, &rwlock       uva_rwlock_acquire_read() .. release
 *     writing, &rwlock       uva_rwlock_acquire_write() .. release
 *     timeout, 1000          a deadline in ms: UV_ETIMEDOUT when it was cut
 *     shield, 5000           cancellation stays outside, for so many ms
 *                            (UVA_FOREVER: no limit)
 *     group, &group          uva_group_open() .. close: waits for the children;
 *                            a failure of the block that went through UVA_TRY()
 *                            or UVA_CHECK() cancels them
 *
 * and what UVA_DEFINE_WITH() makes. When entering fails, the function that the
 * block stands in returns the code, and so it does with a failure of the exit;
 * UVA_WITH_CODE(&code, kind, self) puts them into `code` instead (a block that
 * could not be entered is skipped).
 *
 * When the block is left by UVA_TRY() or UVA_CHECK() with UV_ECANCELED, and the
 * exit fails with another code, that is what the async function around it ends
 * with: a deadline gives UV_ETIMEDOUT, a group the failure of its child. Any
 * other failure that is on its way up stays what it is. When the block is left
 * by a hand-written return, the exit's failure cannot be returned, and is
 * reported.
 */
#ifndef UVAWAIT_WITH_H
#define UVAWAIT_WITH_H

#include "async.h"

/* For how long the exit of a user's kind may wait, in ms. */
#ifndef UVA_EXIT_TIMEOUT_MS
#define UVA_EXIT_TIMEOUT_MS 5000
#endif

#if defined(__GNUC__) && !defined(__cplusplus)

/* Enters `kind`, runs the block that follows, and exits. */
#define UVA_WITH(kind, ...) UVA__WITH(__COUNTER__, uva_with_##kind, __VA_ARGS__)

/* The same; what entering or exiting gives goes to *ret_code. */
#define UVA_WITH_CODE(ret_code, kind, ...) \
    UVA__WITH_CODE(__COUNTER__, ret_code, uva_with_##kind, __VA_ARGS__)

/* A kind of one's own: UVA_WITH(kind, self) with a `self` of type Self calls
 *
 *     int enter(Self self);
 *     int exit(Self self, int failure);
 *
 * `failure` is 0, or the code with which UVA_TRY() or UVA_CHECK() leaves the
 * block. The exit may wait: it runs under a shield, for at most
 * UVA_EXIT_TIMEOUT_MS. */
#define UVA_DEFINE_WITH(kind, Self, enter, exit) \
    __attribute__((unused)) static inline int uva_with_##kind##_enter_( \
        Self self, uva_nothing_t *state) { \
        (void)state; \
        return enter(self); \
    } \
    __attribute__((unused)) static inline int uva_with_##kind##_exit_( \
        Self self, uva_nothing_t *state, int failure) { \
        (void)state; \
        uva_scope_t shield; \
        uva_scope_open(&shield, UVA_EXIT_TIMEOUT_MS, UVA_SCOPE_SHIELD); \
        return uva_async_exit_close(&shield, exit(self, failure)); \
    } \
    UVA__DEFINE_WITH(kind, Self, uva_nothing_t) \
    struct uva_with_##kind

/* clang-format off */

/* ---- expansion ----------------------------------------------------------- */

/* Stages: 1 inside the block, 2 over, or never entered. */
#define UVA__DEFINE_WITH(kind, Self, State) \
    typedef struct uva_with_##kind { \
        Self self; \
        int stage; \
        int failure; \
        int *outer; \
        int *ret_code; \
        State state; \
    } uva_with_##kind; \
    __attribute__((unused)) static inline int uva_with_##kind##_enter( \
        uva_with_##kind *with) { \
        int code = uva_with_##kind##_enter_(with->self, &with->state); \
        with->stage = code < 0 ? 2 : 1; \
        return code; \
    } \
    __attribute__((unused)) static inline int uva_with_##kind##_end( \
        uva_with_##kind *with) { \
        with->stage = 2; \
        return uva_with_##kind##_exit_(with->self, &with->state, \
                                       with->failure); \
    } \
    __attribute__((unused)) static inline void uva_with_##kind##_leave( \
        uva_with_##kind *with) { \
        if (with->stage != 1) \
            return; \
        uva_leaving_t leaving = uva_async_block_leaves(); \
        int code = uva_with_##kind##_end(with); \
        uva_async_block_left(leaving, code, &with->failure, with->outer); \
    }

/* clang-format on */

/* ---- the kinds ----------------------------------------------------------- */

/* A kind whose exit cannot wait, or must be reached by a cancellation. */
#define UVA__WITH_KIND(kind, Self, State, enter, exit) \
    __attribute__((unused)) static inline int uva_with_##kind##_enter_( \
        Self self, State *state) { \
        (void)self; \
        (void)state; \
        return enter; \
    } \
    __attribute__((unused)) static inline int uva_with_##kind##_exit_( \
        Self self, State *state, int failure) { \
        (void)self; \
        (void)state; \
        (void)failure; \
        return exit; \
    } \
    UVA__DEFINE_WITH(kind, Self, State)

UVA__WITH_KIND(lock, uva_lock_t *, uva_nothing_t, uva_lock_acquire(self),
               uva_lock_release(self))
UVA__WITH_KIND(semaphore, uva_semaphore_t *, uva_nothing_t,
               uva_semaphore_acquire(self), uva_semaphore_release(self))
UVA__WITH_KIND(reading, uva_rwlock_t *, uva_nothing_t,
               uva_rwlock_acquire_read(self), uva_rwlock_release_read(self))
UVA__WITH_KIND(writing, uva_rwlock_t *, uva_nothing_t,
               uva_rwlock_acquire_write(self), uva_rwlock_release_write(self))
UVA__WITH_KIND(timeout, uint64_t, uva_scope_t,
               (uva_scope_open(state, self, 0), 0), uva_scope_close(state))
UVA__WITH_KIND(shield, uint64_t, uva_scope_t,
               (uva_scope_open(state, self, UVA_SCOPE_SHIELD), 0),
               uva_scope_close(state))
UVA__WITH_KIND(group, uva_group_t *, uva_nothing_t, (uva_group_open(self), 0),
               (failure < 0 ? (void)uva_group_fail(self, failure) : (void)0,
                uva_group_close(self)))

/* ---- the block ----------------------------------------------------------- */

/* A block inside a block hides uva__block on purpose. This asks the compiler
 * for no warnings from here on, so there is nothing below but this. */
#pragma GCC system_header

/* clang-format off */

#define UVA__BLOCK(n) UVA__PASTE(uva__with_, n)
#define UVA__INSIDE(n) UVA__PASTE(uva__inside_, n)
#define UVA__ONCE(n)  UVA__PASTE(uva__once_, n)

/* The inner loop runs once; a break leaves it, and comes to the outer one's
 * step. */
#define UVA__WITH_LOOP(n, with, ret, enters, step, ...) \
    for (with UVA__BLOCK(n) __attribute__((cleanup(with##_leave))) = \
             {.self = (__VA_ARGS__), .outer = uva__block, .ret_code = (ret)}, \
             *UVA__INSIDE(n) = ((void)(enters), &UVA__BLOCK(n)); \
         UVA__INSIDE(n)->stage == 1; step) \
        for (int *const uva__block = &UVA__BLOCK(n).failure, \
                        *UVA__ONCE(n) = uva__block; \
             UVA__ONCE(n) != NULL; UVA__ONCE(n) = NULL)

#define UVA__WITH(n, with, ...) \
    UVA__WITH_LOOP(n, with, NULL, UVA_CHECK(with##_enter(&UVA__BLOCK(n))), \
                   (void)UVA_CHECK(with##_end(&UVA__BLOCK(n))), __VA_ARGS__)

#define UVA__WITH_CODE(n, ret, with, ...) \
    UVA__WITH_LOOP(n, with, ret, \
                   *UVA__BLOCK(n).ret_code = with##_enter(&UVA__BLOCK(n)), \
                   *UVA__BLOCK(n).ret_code = with##_end(&UVA__BLOCK(n)), \
                   __VA_ARGS__)

/* clang-format on */

#endif

#endif
