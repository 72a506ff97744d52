/**
 * Generators: functions that hand out items one after the other, and wait in
 * between as they like.
 *
 *     static int count_to(void *arg) {
 *         for (int i = 0; i < *(const int *)arg; i++) {
 *             int code = uva_emit(&i);
 *             if (code < 0)
 *                 return code;
 *         }
 *         return 0;
 *     }
 *
 *     int code;
 *     int i;
 *     int limit = 10;
 *     uva_generator_t *numbers = uva_generate(count_to, &limit, sizeof i);
 *     while ((code = uva_next(numbers, &i)) > 0)
 *         printf("%d\n", i);
 *     code = uva_generator_close(numbers);
 *
 * The body has a stack of its own, but is no task: it runs as a part of the
 * task that calls uva_next(), as a function that it calls would. It sees that
 * task as uva_current(); deadlines, cancellation, task-local values and locks
 * are that task's; a park in the body parks it. Nothing runs ahead: between two
 * calls of uva_next() the body stands still, in uva_emit().
 *
 * While it stands still it must not be inside a block of the task that it ran
 * in: close scopes, groups and blocks of task-local values before uva_emit().
 * A deadline set in the body would otherwise cut whatever the iterating task
 * does between two items.
 *
 * A generator that nobody has closed when its runtime ends is reported, with
 * the place where it was made; its stack and memory go, and its body does not
 * run again, since what it works on may be gone.
 */
#ifndef UVAWAIT_GENERATOR_H
#define UVAWAIT_GENERATOR_H

#include "base.h"

UVA_BEGIN_DECLS

typedef struct uva_generator uva_generator_t;

/**
 * Makes a generator whose items have item_bytes. Its body does not begin, and
 * takes no stack, before the first uva_next().
 *
 * Context:  the thread of a runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  NULL without memory, after the runtime's end, outside of a runtime
 *           or for fn NULL (both reported). uva_next() and
 *           uva_generator_close() take NULL, so that need not be looked at here
 * Owns:     new: uva_generator_close(), exactly once; arg borrowed until then
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_generator_t *uva_generate(uva_fn fn, void *arg,
                                                     size_t item_bytes);

/**
 * Hands out an item, and stands still until the next is asked for, perhaps by
 * another task.
 *
 * Context:  the body of a generator, on its own stack
 * Parks:    never; the task goes on in uva_next()
 * Cancel:   not by the task's: it runs on
 * Returns:  0 when the next item is asked for; UV_ECANCELED once the generator
 *           is being closed, this time and every other: clean up and return.
 *           Without effect: UV_EINVAL for NULL where items have bytes;
 *           UV_EPERM outside of a body, and inside a scope, a group, a block of
 *           task-local values or a coroutine that began after the last item
 *           (both reported)
 * Owns:     item is copied
 * Since:    0.1
 */
UVA_API int uva_emit(const void *item);

/**
 * Runs the body until it hands out the next item, or is over.
 *
 * Context:  task
 * Parks:    where the body does; else once the task's budget is used up
 * Cancel:   met by the body, as by a function that was called; UV_ECANCELED
 *           from here when it comes as the budget ends: nothing has run
 * Returns:  1 for an item; the body's failure, once; 0 at the end, after a
 *           failure too. And with nothing run: UV_ENOMEM for NULL or without
 *           a stack (reported); UV_EBUSY while another task is inside; UV_EPERM
 *           in its own body, outside a task, in another thread (reported)
 * Owns:     generator borrowed until return; *ret_item is filled when it is 1;
 *           NULL skips the item
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_next(uva_generator_t *generator, void *ret_item);

/**
 * Ends a generator. A body that is not over goes on with uva_emit() returning
 * UV_ECANCELED; it may wait while it cleans up (in a task that is cancelled:
 * under a shield). One that never began does not run.
 *
 * Context:  task; anywhere in the runtime's thread when it never began or is
 *           over
 * Parks:    where the body does
 * Cancel:   met by the body
 * Returns:  0; the body's failure, also when uva_next() has returned it before;
 *           0 for UV_ECANCELED from a body that was cut short by this call.
 *           And without effect: UV_EBUSY while another task is inside; UV_EPERM
 *           in its own body, in another thread, outside a task (reported)
 * Owns:     takes generator, but where that was without effect; NULL is fine
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_generator_close(uva_generator_t *generator);

/* The function behind the macro below: site is UVA_SITE(...). */
UVA_API UVA_MUST_CHECK uva_generator_t *
uva_generate_at(const char *site, uva_fn fn, void *arg, size_t item_bytes);

#define uva_generate(...) uva_generate_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
