/**
 * Task groups: children that never outlive the block that spawned them.
 *
 *     uva_group_t group;
 *     uva_group_open(&group);
 *     uva_group_spawn(&group, fetch, "a");
 *     uva_group_spawn(&group, fetch, "b");
 *     int code = uva_group_close(&group);
 *
 * The first child that fails cancels the others and the body; closing waits
 * for all of them and returns that failure. A cancellation of the block, by a
 * deadline further out or by anybody, reaches the children at once. A child
 * that ends with UV_ECANCELED is no failure. Each child is asked to end once,
 * whatever else cancels the group afterwards.
 */
#ifndef UVAWAIT_GROUP_H
#define UVAWAIT_GROUP_H

#include "base.h"
#include "scope.h"
#include "task.h"

UVA_BEGIN_DECLS

/* How many failures a group keeps, in order of occurrence. */
#define UVA_GROUP_ERRORS 16

/* The fields are private. The struct must stay where it is while open. */
typedef struct uva_group {
    uva_scope_t scope;  /* the body's */
    uva_list_t members; /* one for each child that has not ended */
    void *waiter;       /* of the task in uva_group_close(), parked */
    size_t error_count; /* of all failures */
    int errors[UVA_GROUP_ERRORS];
    void *message;  /* of the first one, or NULL */
    bool refuses;   /* cancelled, failing or closed: no more children */
    bool cut_short; /* a child was cut by something further out */
} uva_group_t;

/**
 * Opens a group; the body of its block begins.
 *
 * Context:  task; elsewhere it is reported, and the group refuses children
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     group borrowed until closed
 * Since:    0.1
 */
UVA_API void uva_group_open(uva_group_t *group);

/**
 * Spawns a child.
 *
 * Context:  the thread of the runtime: the body, a child, or a callback
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM once the group is cancelled, failing or closed (fn does
 *           not run); UV_ENOMEM; UV_EINVAL for NULL
 * Owns:     group borrowed; arg borrowed until the child has ended
 * Since:    0.1
 */
UVA_API int uva_group_spawn(uva_group_t *group, uva_fn fn, void *arg);

/**
 * uva_group_spawn() with options (NULL: the defaults) and a handle.
 *
 * Context:  as uva_group_spawn()
 * Parks:    never (eager: the child runs up to its first park)
 * Cancel:   –
 * Returns:  as uva_group_spawn()
 * Owns:     as uva_group_spawn(); *ret_task (ret_task may be NULL) is a new
 *           reference, untouched on failure
 * Since:    0.1
 */
UVA_API int uva_group_spawn_with(uva_group_t *group,
                                 const uva_task_options_t *options, uva_fn fn,
                                 void *arg, uva_task_t **ret_task);

/**
 * Spawns a child and waits until it reports, with uva_group_started(), that it
 * is ready: a server that listens, say. Then it goes on as a child of the
 * group like any other. Until then it belongs to the caller: its failure is
 * this call's and no failure of the group, and only a cancellation of the
 * caller reaches it (uva_group_close() waits for it all the same).
 *
 * Context:  task: the body, a child, or any other of the runtime
 * Parks:    always
 * Cancel:   passed on to the child; returns when it has ended
 * Returns:  0 when the child has reported; its code when it failed or was
 *           cancelled before; UV_EPERM when it succeeded without a report
 *           (reported), outside a task, and once the group is cancelled,
 *           failing or closed (fn does not run); UV_ECANCELED; UV_ENOMEM;
 *           UV_EINVAL for NULL
 * Owns:     group borrowed; arg borrowed until the child has ended; *ret_value
 *           (ret_value may be NULL) is a pointer, untouched on failure
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_group_start(uva_group_t *group, uva_fn fn, void *arg,
                                      void *ret_value);

/**
 * uva_group_start() with options (NULL: the defaults; eager has no effect).
 *
 * Context:  as uva_group_start()
 * Parks:    always
 * Cancel:   as uva_group_start()
 * Returns:  as uva_group_start()
 * Owns:     as uva_group_start()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_group_start_with(uva_group_t *group,
                                           const uva_task_options_t *options,
                                           uva_fn fn, void *arg,
                                           void *ret_value);

/**
 * Reports to uva_group_start() that this child is ready. In a task that was not
 * begun by it there is nobody to tell, so a body serves both.
 *
 * Context:  task; on its own stack, not in a helper that it spawned
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EALREADY the second time; UV_ECANCELED without effect when
 *           the caller of uva_group_start() has been cancelled meanwhile, and
 *           so this task; UV_EPERM outside a task
 * Owns:     what value points to must outlive its readers
 * Since:    0.1
 */
UVA_API int uva_group_started(void *value);

/**
 * The body's own failure: counts like that of a child. UV_ECANCELED is none, so
 * a body may hand in whatever code it was left with: it ends the group early,
 * like uva_group_cancel(). After the close it has no effect.
 *
 * Context:  the thread of the runtime: the body, a child, or a callback;
 *           elsewhere it is reported and has no effect
 * Parks:    never
 * Cancel:   –
 * Returns:  code; UV_EINVAL when code is not negative
 * Owns:     group borrowed
 * Since:    0.1
 */
UVA_API int uva_group_fail(uva_group_t *group, int code);

/**
 * Ends the group early: children and body are cancelled, and that is no
 * failure. As often as you like; after the end it does nothing.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM from another thread
 * Owns:     group borrowed
 * Since:    0.1
 */
UVA_API int uva_group_cancel(uva_group_t *group);

/**
 * Waits for every child, also those that children spawn meanwhile. Nothing is
 * to be destroyed afterwards.
 *
 * Context:  the task that opened the group; its innermost scope
 * Parks:    unless no child is running
 * Cancel:   passed on to the children; the wait itself cannot be cut
 * Returns:  the first failure, with its message in uva_last_message(); else
 *           UV_ECANCELED if something further out cut
 *           the block or its children short; else 0. UV_EPERM for a group that
 *           was opened outside a task, or is closed already (reported)
 * Owns:     group is the caller's again; its errors stay readable
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_group_close(uva_group_t *group);

/**
 * The first UVA_GROUP_ERRORS failures, in order of occurrence.
 *
 * Context:  the thread of the runtime; also after the close
 * Parks:    never
 * Cancel:   –
 * Returns:  the number of all failures, also when more than capacity
 * Owns:     group borrowed; ret_codes is filled
 * Since:    0.1
 */
UVA_API size_t uva_group_errors(const uva_group_t *group, int ret_codes[],
                                size_t capacity);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API int uva_group_spawn_at(const char *site, uva_group_t *group, uva_fn fn,
                               void *arg);
UVA_API int uva_group_spawn_with_at(const char *site, uva_group_t *group,
                                    const uva_task_options_t *options,
                                    uva_fn fn, void *arg,
                                    uva_task_t **ret_task);
UVA_API UVA_PARKS int uva_group_start_at(const char *site, uva_group_t *group,
                                         uva_fn fn, void *arg, void *ret_value);

UVA_API UVA_PARKS int uva_group_start_with_at(const char *site,
                                              uva_group_t *group,
                                              const uva_task_options_t *options,
                                              uva_fn fn, void *arg,
                                              void *ret_value);

#define uva_group_start(...) \
    uva_group_start_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_group_start_with(...) \
    uva_group_start_with_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_group_spawn(...) \
    uva_group_spawn_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_group_spawn_with(...) \
    uva_group_spawn_with_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
