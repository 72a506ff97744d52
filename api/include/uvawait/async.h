/**
 * The typed layer: async functions with typed parameters and a typed result,
 * for gcc and clang (GNU C). It brings <uvawait.h>, which does without it, and
 * uvawait/with.h (blocks) and uvawait/iterate.h (generators and loops).
 *
 *     #include <uvawait/async.h>
 *
 *     UVA_ASYNC(int, add, (int, x), (int, y)) {
 *         UVA_CHECK(uva_sleep(10));
 *         UVA_RETURN(x + y);
 *     }
 *
 *     UVA_ASYNC(void, show) {
 *         int sum = UVA_TRY(add(3, 4));
 *         printf("%d\n", sum);
 *         return 0;
 *     }
 *
 *     int main(void) {
 *         return UVA_RUN(show()) < 0;
 *     }
 *
 * UVA_ASYNC(int, add, ...) makes `struct add` and the function add(), which
 * takes the parameters and gives a `struct add`: a coroutine. Nothing has run.
 * It is a plain value: it owns nothing, and dropping one costs nothing, which
 * is why the compiler warns where one is dropped (-Wunused-result,
 * -Wunused-variable).
 *
 * Awaited, a coroutine runs as a function call. UVA_SPAWN() makes it a task,
 * and gives a `struct add` that is the task's handle: `future` is its
 * uva_task_t, for uva_cancel(), uva_set_name() and all the rest. A handle owns
 * one reference, which what awaits it takes; one that nobody awaits is given to
 * uva_detach(). Whatever takes a coroutine takes a handle too, except for
 * UVA_GROUP_SPAWN() and UVA_RUN(), which begin it.
 *
 * The body's code is the outcome, as everywhere: 0 or more, or a negative code
 * of libuv. UVA_RETURN(value) is 0 with a value; UVA_TRY() and UVA_CHECK()
 * return from the function they stand in when something fails, as an exception
 * would; UVA_AWAIT() gives the code. All arguments are evaluated once; one with
 * commas in braces, as a struct literal has, stands in parentheses.
 *
 * A message of uva_fail() goes up with the failure through UVA_TRY() and
 * UVA_CHECK(). Inside a block of uvawait/with.h that cut its body short,
 * UV_ECANCELED becomes the block's own code (UV_ETIMEDOUT, a child's failure)
 * on the way out of the async function.
 *
 * A parameter or a result of the wrong type does not compile: this header turns
 * gcc's and clang's warnings about incompatible pointers into errors, as newer
 * compilers do by themselves. T and a parameter's type are written in front of
 * a name, so a pointer to a function needs a typedef, and an array a struct; up
 * to eight parameters, up to sixteen coroutines in one UVA_GATHER() or
 * UVA_RACE().
 *
 * In a debugger the body is the function `add__body`, its parameters are
 * parameters, and `print` shows a coroutine's arguments.
 *
 * For C++ there is nothing here: lambdas and templates do it better there.
 */
#ifndef UVAWAIT_ASYNC_H
#define UVAWAIT_ASYNC_H

#include "../uvawait.h"

UVA_BEGIN_DECLS

/* The value of an async function without one. */
typedef struct uva_nothing {
    char none;
} uva_nothing_t;

/**
 * What UVA_TRY() and UVA_CHECK() return when something failed: notes that
 * `code` is on its way up, with its message. For macros of one's own that do
 * the same.
 *
 * Context:  any
 * Parks:    never
 * Cancel:   –
 * Returns:  code; the code of the block that was left with UV_ECANCELED
 * Owns:     *block, where not NULL, gets the code: the failure of the block
 *           around it
 * Since:    0.1
 */
UVA_API int uva_async_leave(int code, int *block);

/* Private: a failure that is on its way up, while the end of a block runs. */
typedef struct uva_leaving {
    void *message; /* a reference */
    int code;
    int block_code;
} uva_leaving_t;

/* Behind the macros. A body failed: what it returns, as a call and as a task. A
 * block is left early; its end gave `code`: *failure is why it was left (0: no
 * failure), *block tells the block around it. */
UVA_API int uva_async_failed(int code);
UVA_API int uva_async_ended(int code);
UVA_API uva_leaving_t uva_async_block_leaves(void);
/* Closes the shield that an exit ran under: the exit's code, or UV_ETIMEDOUT
 * where the shield's time cut it short. */
UVA_API int uva_async_exit_close(uva_scope_t *shield, int code);
UVA_API void uva_async_block_left(uva_leaving_t leaving, int code, int *failure,
                                  int *block);
UVA_API int uva_async_group_spawn_at(const char *site, uva_group_t *group,
                                     const uva_async_t *async,
                                     const void *self);
UVA_API UVA_PARKS int uva_async_gather_at(const char *site,
                                          const void *coroutines, size_t count,
                                          size_t self_bytes, void *ret_values);
UVA_API UVA_PARKS int uva_async_map(const uva_async_t *async, const void *items,
                                    size_t count, size_t limit,
                                    void *ret_values);
UVA_API int uva_async_run_at(const char *site, const uva_options_t *options,
                             const uva_async_t *async, const void *self,
                             void *ret_value);
UVA_API int uva_async_main_at(const char *site, const uva_async_t *async,
                              const void *self);

UVA_END_DECLS

#if defined(__GNUC__) && !defined(__cplusplus)

#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wint-conversion"

/* Outside of every block of uvawait/with.h there is none to tell. */
__attribute__((unused)) static int *const uva__block = NULL;

/* ---- declaring ----------------------------------------------------------- */

/* An async function of this file: T name(parameters), each "(type, name)".
 * What follows is its body; `uva_result` points to the value's place. */
#define UVA_ASYNC(T, ...) \
    UVA__ASYNC(UVA__DECLARE, static, T, __VA_ARGS__); \
    UVA__ASYNC(UVA__DEFINE, static, T, __VA_ARGS__)

/* In a header, or to call it before it is defined; UVA_ASYNC_DEFINE() stands in
 * one file. UVA_ASYNC_DECLARE_STATIC() for one that UVA_ASYNC_DEFINE_STATIC()
 * defines further down. */
#define UVA_ASYNC_DECLARE(T, ...) UVA__ASYNC(UVA__DECLARE, , T, __VA_ARGS__)
#define UVA_ASYNC_DEFINE(T, ...)  UVA__ASYNC(UVA__DEFINE, , T, __VA_ARGS__)
#define UVA_ASYNC_DECLARE_STATIC(T, ...) \
    UVA__ASYNC(UVA__DECLARE, static, T, __VA_ARGS__)
#define UVA_ASYNC_DEFINE_STATIC(T, ...) \
    UVA__ASYNC(UVA__DEFINE, static, T, __VA_ARGS__)

/* Ends the body with a value. One without a value ends with `return 0`. */
#define UVA_RETURN(...) return (*uva_result = (__VA_ARGS__), 0)

/* ---- waiting ------------------------------------------------------------- */

/* UVA_AWAIT(coroutine) or UVA_AWAIT(coroutine, &result): its code. The result
 * is untouched by a failure. */
#define UVA_AWAIT(...) \
    UVA__PASTE(UVA__AWAIT_, UVA__COUNT(__VA_ARGS__))(__COUNTER__, __VA_ARGS__)

/* The value of a coroutine; on failure returns its code from the function that
 * this stands in, which returns int: an async function, a task's body, or one
 * of your own. */
#define UVA_TRY(...) UVA__TRY(__COUNTER__, __VA_ARGS__)

/* UVA_TRY() for what gives a code: the code, 0 or more; on failure returns it
 * from the function that this stands in. */
#define UVA_CHECK(...) UVA__CHECK(__COUNTER__, __VA_ARGS__)

/* UVA_WAIT_FOR(coroutine, timeout_ms) or (coroutine, timeout_ms, &result):
 * uva_wait_for(). */
#define UVA_WAIT_FOR(...) \
    UVA__PASTE(UVA__WAIT_FOR_, UVA__COUNT(__VA_ARGS__)) \
    (__COUNTER__, UVA_SITE(""), __VA_ARGS__)

/* ---- tasks --------------------------------------------------------------- */

/* Makes a coroutine a task (uva_spawn()): its handle. Without memory `future`
 * is NULL, and awaiting it gives UV_ENOMEM. */
#define UVA_SPAWN(...) UVA__SPAWN(__COUNTER__, UVA_SITE(""), __VA_ARGS__)

/* UVA_SPAWN_WITH(&options, coroutine): with name, stack size, eager, locals. */
#define UVA_SPAWN_WITH(options, ...) \
    UVA__SPAWN_WITH(__COUNTER__, UVA_SITE(""), options, __VA_ARGS__)

/* UVA_GROUP_SPAWN(&group, coroutine): a child of a group; a code, as
 * uva_group_spawn(). */
#define UVA_GROUP_SPAWN(group, ...) \
    UVA__GROUP_SPAWN(__COUNTER__, UVA_SITE(""), group, __VA_ARGS__)

/* A coroutine as a plain, owned uva_future_t * that has not begun, or the
 * future of a handle: for all that takes futures (uva_shield(), uva_wait(),
 * uva_as_completed_open(), ...). Dropped unstarted it is reported: "coroutine
 * 'add' was never awaited". NULL without memory. */
#define UVA_FUTURE(...) UVA__FUTURE(__COUNTER__, UVA_SITE(""), __VA_ARGS__)

/* A handle whose cancellation leaves the coroutine alone: uva_shield(). */
#define UVA_SHIELD(...) UVA__SHIELD(__COUNTER__, UVA_SITE(""), __VA_ARGS__)

/* ---- several at once ----------------------------------------------------- */

/* UVA_GATHER(values, coroutine, ...): uva_gather(), all of one result type;
 * `values` is an array of it, or NULL. */
#define UVA_GATHER(ret_values, ...) \
    UVA__GATHER(__COUNTER__, UVA__COUNT(__VA_ARGS__), UVA_SITE(""), \
                ret_values, __VA_ARGS__)

/* The same for an array of `count` coroutines or handles. */
#define UVA_GATHER_ARRAY(ret_values, coroutines, count) \
    UVA__GATHER_ARRAY(__COUNTER__, UVA_SITE(""), ret_values, coroutines, count)

/* UVA_RACE(&index, &value, coroutine, ...): uva_race(); either may be NULL. */
#define UVA_RACE(ret_index, ret_value, ...) \
    UVA__RACE(__COUNTER__, UVA__COUNT(__VA_ARGS__), UVA_SITE(""), ret_index, \
              ret_value, __VA_ARGS__)

/* uva_map() with an async function of one parameter, of the items' very type:
 * function(items[i]) for each, at most `limit` at once; the results go to
 * ret_values, or NULL. */
#define UVA_MAP(function, items, count, limit, ret_values) \
    UVA__MAP(__COUNTER__, function, items, count, limit, ret_values)

/* ---- running ------------------------------------------------------------- */

/* UVA_RUN(coroutine) or UVA_RUN(coroutine, &result): uva_run(). */
#define UVA_RUN(...) UVA_RUN_WITH(NULL, __VA_ARGS__)

/* UVA_RUN_WITH(&options, coroutine) or (&options, coroutine, &result). */
#define UVA_RUN_WITH(options, ...) \
    UVA__PASTE(UVA__RUN_, UVA__COUNT(__VA_ARGS__)) \
    (__COUNTER__, UVA_SITE(""), options, __VA_ARGS__)

/* UVA_MAIN(coroutine); is the main() of a program that is one async function,
 * as asyncio.run(main()) at the end of a Python file is. The program's status
 * is 0, or 1 after a failure, and stderr says which. The arguments of the
 * coroutine may be made of argc and argv. */
#define UVA_MAIN(...) UVA__MAIN(__COUNTER__, UVA_SITE(""), __VA_ARGS__)

#include "async_expand.h"

#endif

/* The rest of the layer. */
#include "iterate.h"
#include "with.h"

#endif
