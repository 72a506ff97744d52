/**
 * Child processes: their streams, their end, and the one call that does it all.
 *
 *     uva_process_options_t options = {.file = "sort"};
 *     uva_output_t sorted = {.limit = 1 << 20};
 *     int code = uva_process_run(&options, text, bytes, &sorted, NULL, &how);
 *
 * For a host that embeds the library: libuv learns of a child's end by SIGCHLD.
 * Its handler is in place while a process of any loop is open, and it waits for
 * its own children alone. So while one runs, the host must not set a handler of
 * its own for SIGCHLD, nor ignore or block it, nor wait for children that it
 * did not start (waitpid(-1), wait()): their end would not be seen. When the
 * last one has been closed the default action is in force. A child begins with
 * every signal at its default action and none blocked.
 *
 * The virtual clock does not wait for a child: use the real one.
 */
#ifndef UVAWAIT_PROCESS_H
#define UVAWAIT_PROCESS_H

#include "base.h"
#include "stream.h"

UVA_BEGIN_DECLS

typedef struct uva_process uva_process_t;

/* What a child's standard input, output or error is. */
typedef enum {
    UVA_STDIO_INHERIT = 0, /* the parent's; it is made blocking, also for the
                              parent, who may have a stream on it */
    UVA_STDIO_NULL,        /* /dev/null */
    UVA_STDIO_PIPE,        /* a stream of ours: uva_process_stdin() ... */
    UVA_STDIO_FD,          /* the descriptor in in_fd, out_fd, err_fd; it stays
                              the caller's, but is made blocking */
    UVA_STDIO_STDOUT       /* err only: what out is */
} uva_stdio_t;

/* All zero is the default of everything but file. */
typedef struct uva_process_options {
    const char *file; /* a path, or a name that is looked for in PATH */
    /* The arguments, args[0] among them, ended by NULL; NULL: { file }. */
    const char *const *args;
    const char *const *env; /* "NAME=value" ..., NULL; NULL: the parent's */
    const char *cwd;        /* NULL: the parent's */
    uva_stdio_t in;
    uva_stdio_t out;
    uva_stdio_t err;
    int in_fd; /* for UVA_STDIO_FD */
    int out_fd;
    int err_fd;
    /* UV_PROCESS_DETACHED (a session of its own; closing the handle does not
     * kill it), UV_PROCESS_SETUID, UV_PROCESS_SETGID. */
    unsigned flags;
    uv_uid_t uid;
    uv_gid_t gid;
    /* uva_process_run() cut short: from SIGTERM to SIGKILL; 0: 5000. */
    uint64_t grace_ms;
} uva_process_options_t;

/* How a process ended. */
typedef struct uva_exit {
    int status; /* what it gave to exit(); 0 when a signal killed it */
    int signum; /* what killed it, or 0 */
} uva_exit_t;

/* What a process has written. Begin with all zero, or set a limit. */
typedef struct uva_output {
    char *data; /* the caller's: free(); a '\0' follows the bytes. NULL when
                     nothing was read, or the stream is no pipe */
    size_t bytes;
    size_t limit; /* set by the caller: more is UV_ENOBUFS; 0: no limit */
} uva_output_t;

/**
 * Starts a process. Blocks the thread until the child has begun to run the
 * program, which is what makes a missing file a code of this call. A pipe for
 * stdin is a socket, as with Node, so that a write to a child that is gone
 * raises no SIGPIPE; a child cannot open it anew as /dev/stdin.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOENT, UV_EACCES ... of the file or of cwd; UV_EPERM when
 *           uid or gid may not be set, and without a runtime (reported);
 *           UV_EBADF for a descriptor that is none; UV_EINVAL for NULL and what
 *           is no option; UV_EAGAIN, UV_ENOMEM, UV_EMFILE; UV_ESHUTDOWN after
 *           the runtime's end
 * Owns:     options borrowed during the call; *ret_process is new:
 *           uva_process_close()
 * Since:    0.1
 */
UVA_API int uva_process_spawn(const uva_process_options_t *options,
                              uva_process_t **ret_process);

/**
 * Waits until the process has ended. Its pipes may be open still, and hold what
 * it has written, also when a process that it started keeps them open.
 *
 * Context:  task; any number may wait
 * Parks:    unless it has ended
 * Cancel:   UV_ECANCELED; the process is left alone
 * Returns:  0; UV_ECANCELED, also when the process is closed meanwhile;
 *           UV_EPERM outside a task; UV_EINVAL
 * Owns:     process borrowed until return; ret_exit may be NULL
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_process_wait(uva_process_t *process,
                                       uva_exit_t *ret_exit);

/**
 * How the process has ended, if it has.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EAGAIN while it runs; UV_EINVAL; UV_EPERM in another thread
 *           (reported)
 * Owns:     process borrowed; ret_exit may be NULL
 * Since:    0.1
 */
UVA_API int uva_process_try_wait(const uva_process_t *process,
                                 uva_exit_t *ret_exit);

/**
 * The number of the process, also after its end.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number; UV_EINVAL for NULL
 * Owns:     process borrowed
 * Since:    0.1
 */
UVA_API int uva_process_pid(const uva_process_t *process);

/**
 * Sends a signal to the process; signum 0 only asks whether it runs.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ESRCH when it has ended; UV_EPERM; UV_EINVAL
 * Owns:     process borrowed
 * Since:    0.1
 */
UVA_API int uva_process_kill(uva_process_t *process, int signum);

/**
 * What the process reads from, to be written to. uva_shutdown() lets it read
 * the end. Do not close it: uva_process_close_pipe() does.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the stream; NULL when stdin is no pipe or was closed
 * Owns:     the result is borrowed, until it or the process is closed
 * Since:    0.1
 */
UVA_API uva_stream_t *uva_process_stdin(const uva_process_t *process);

/**
 * What the process writes to, to be read.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the stream; NULL when stdout is no pipe or was closed
 * Owns:     as uva_process_stdin()
 * Since:    0.1
 */
UVA_API uva_stream_t *uva_process_stdout(const uva_process_t *process);

/**
 * What the process writes its errors to, to be read.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the stream; NULL when stderr is no pipe or was closed
 * Owns:     as uva_process_stdin()
 * Since:    0.1
 */
UVA_API uva_stream_t *uva_process_stderr(const uva_process_t *process);

/**
 * Closes our end of a pipe: fd is 0, 1 or 2, as the child knows it. Who waits
 * in the stream gets UV_ECANCELED.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0, also when there is none; UV_EINVAL; UV_EPERM in another thread
 *           (reported)
 * Owns:     process borrowed; its stream is gone
 * Since:    0.1
 */
UVA_API int uva_process_close_pipe(uva_process_t *process, int fd);

/**
 * Writes input to stdin and closes it, reads stdout and stderr to their ends,
 * all at once, and waits for the process. A child that does not read its input
 * is no failure. Pipes only: what is none is left out. Without out or err, what
 * comes there is read and dropped.
 *
 * Context:  task; spawns one more for each pipe
 * Parks:    always
 * Cancel:   UV_ECANCELED; the process is left alone, its stdin closed
 * Returns:  0; UV_ENOBUFS when there was more than a limit; UV_ECANCELED, also
 *           when the process is closed meanwhile; UV_EBUSY when another task
 *           reads or writes there; UV_ENOMEM; UV_EPERM; UV_EINVAL. Also on
 *           failure, out and err have what was read until then
 * Owns:     process and input borrowed until return; out->data and err->data
 *           are the caller's afterwards, whatever is returned: free()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_process_communicate(uva_process_t *process,
                                              const void *input, size_t bytes,
                                              uva_output_t *out,
                                              uva_output_t *err);

/**
 * Runs a process from its beginning to its end: spawn, communicate, wait,
 * close. stdin is a pipe if input is not NULL, stdout and stderr are if out and
 * err are not; else they are what options say.
 *
 * Context:  task; spawns one more for each pipe
 * Parks:    always, unless it cannot be started
 * Cancel:   UV_ECANCELED. The process gets SIGTERM, after options->grace_ms
 *           SIGKILL, and has ended when this returns; so it is after any other
 *           failure. What it had started itself is left alone
 * Returns:  0 however the process ended: see *ret_exit; as uva_process_spawn()
 *           and uva_process_communicate()
 * Owns:     as uva_process_communicate(); ret_exit may be NULL
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_process_run(const uva_process_options_t *options,
                                      const void *input, size_t bytes,
                                      uva_output_t *out, uva_output_t *err,
                                      uva_exit_t *ret_exit);

/**
 * Closes a process and its pipes. One that runs is killed with SIGKILL, unless
 * it was started with UV_PROCESS_DETACHED; it is taken note of when it ends, so
 * that no zombie stays, and the runtime's end waits for one that was killed.
 * Who waits for it gets UV_ECANCELED. One that is still open when its runtime
 * ends is reported and closed.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes process; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_process_close(uva_process_t *process);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API int uva_process_spawn_at(const char *site,
                                 const uva_process_options_t *options,
                                 uva_process_t **ret_process);
UVA_API UVA_PARKS int uva_process_run_at(const char *site,
                                         const uva_process_options_t *options,
                                         const void *input, size_t bytes,
                                         uva_output_t *out, uva_output_t *err,
                                         uva_exit_t *ret_exit);

#define uva_process_spawn(...) \
    uva_process_spawn_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_process_run(...) \
    uva_process_run_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
