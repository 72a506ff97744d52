/**
 * Terminals as streams. What is read comes line by line, and with its echo,
 * until the mode is changed.
 *
 * Closing the stream, which the end of the runtime does at the latest, sets the
 * mode back. A program that may end without, by exit() for example, does it
 * itself, as with libuv: atexit() a function that calls uv_tty_reset_mode(),
 * which may be called in a signal handler, too.
 */
#ifndef UVAWAIT_TTY_H
#define UVAWAIT_TTY_H

#include "stream.h"

UVA_BEGIN_DECLS

/**
 * uva_stream_open_fd(), for a terminal only.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTTY for what is none; as uva_stream_open_fd()
 * Owns:     as uva_stream_open_fd()
 * Since:    0.1
 */
UVA_API int uva_tty_open(int fd, uva_stream_t **ret_stream);

/**
 * UV_TTY_MODE_NORMAL; UV_TTY_MODE_RAW: every key as it comes, without echo,
 * Ctrl-C being a key; UV_TTY_MODE_IO: raw also in what is written.
 *
 * Context:  the thread of the runtime
 * Parks:    never (what was written is let out first, which a terminal that is
 *           held up with Ctrl-S delays)
 * Cancel:   –
 * Returns:  0; UV_ENOTTY for another stream; UV_EIO when the terminal is gone;
 *           UV_EINVAL; UV_EPERM in another thread (reported)
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_tty_set_mode(uva_stream_t *stream, uv_tty_mode_t mode);

/**
 * The size of the window. SIGWINCH says that it has changed (uvawait/signal.h).
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTTY for another stream; UV_EINVAL; UV_EPERM in another
 *           thread (reported)
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_tty_size(uva_stream_t *stream, int *ret_columns, int *ret_rows);

/* The function behind the macro below: site is UVA_SITE(...). */
UVA_API int uva_tty_open_at(const char *site, int fd,
                            uva_stream_t **ret_stream);

#define uva_tty_open(...) uva_tty_open_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
