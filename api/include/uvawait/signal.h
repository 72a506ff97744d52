/**
 * Signals as something to wait for.
 *
 * What runs is ordinary code in a task, not a signal handler: anything may be
 * called. libuv's handler for a signal is in place while somebody listens to
 * it, in this runtime or on any other loop of the process; afterwards the
 * default action is in force again. Several runtimes may listen to one signal,
 * and each is told. SIGKILL and SIGSTOP cannot be caught; SIGSEGV and its like
 * must not be.
 *
 * A program that only wants to end in good order on Ctrl-C sets
 * uva_options_t.handle_signals instead.
 */
#ifndef UVAWAIT_SIGNAL_H
#define UVAWAIT_SIGNAL_H

#include "base.h"

UVA_BEGIN_DECLS

typedef struct uva_signal uva_signal_t;

/**
 * Begins to listen to a signal. One that is still open when its runtime ends is
 * reported and closed.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL for NULL and for what cannot be caught; UV_ENOMEM;
 *           UV_EPERM without a runtime (reported); UV_ESHUTDOWN after its end
 * Owns:     *ret_signal is new: uva_signal_close()
 * Since:    0.1
 */
UVA_API int uva_signal_open(int signum, uva_signal_t **ret_signal);

/**
 * Waits until the signal has come. What comes while nobody waits is counted,
 * and told by the next call; the kernel may make one of several that come at
 * once. Of several tasks that wait, each arrival wakes the oldest.
 *
 * Context:  task
 * Parks:    unless it has come since the last call
 * Cancel:   UV_ECANCELED; nothing that has come is lost
 * Returns:  how often it has come, at least 1; UV_ECANCELED, also when it is
 *           closed meanwhile; UV_EPERM outside a task; UV_EINVAL
 * Owns:     signal borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_signal_next(uva_signal_t *signal);

/**
 * Stops listening. Who waits in uva_signal_next() gets UV_ECANCELED.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes signal; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_signal_close(uva_signal_t *signal);

/**
 * Waits for one signal: open, next, close. What comes before the call or after
 * it meets the default action.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED
 * Returns:  0; as uva_signal_open() and uva_signal_next()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_signal_wait(int signum);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API int uva_signal_open_at(const char *site, int signum,
                               uva_signal_t **ret_signal);
UVA_API UVA_PARKS int uva_signal_wait_at(const char *site, int signum);

#define uva_signal_open(...) \
    uva_signal_open_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_signal_wait(...) \
    uva_signal_wait_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
