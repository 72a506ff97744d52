/*
 * What: child processes.
 *
 * How: the pipes are made here, not by libuv: stdout and stderr true pipes,
 * which a child may open again as /dev/stdout, stdin a socket, to which we can
 * write without SIGPIPE. The child is given their far ends as descriptors to
 * inherit; our ends are streams like others, owned by the process.
 *
 * libuv's handle stays until the child has been reaped, also when the user has
 * closed the process before: it is counted in rt->handles, so that the end of
 * the runtime waits for children that were killed. A detached child is not
 * waited for: it stays among the resources, without a noun, and the end lets
 * go of it.
 *
 * The process stands before its streams in rt->resources: the end closes it
 * first, and the streams with it.
 */
#include "process.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../loop.h"
#include "../task.h"
#include "open.h"
#include "socket.h"

enum { FLAGS = UV_PROCESS_DETACHED | UV_PROCESS_SETUID | UV_PROCESS_SETGID };

static const uva__wait_t process_wait = {
    .reason = "process", .cancel = uva__leave_queue, .outside = true};

/* ---- memory ------------------------------------------------------------- */

void uva__process_unref(uva_process_t *process) {
    UVA__ASSERT(process->refs > 0);
    if (--process->refs == 0)
        uva__give(&process->runtime->pools, process, sizeof *process);
}

static void on_closed(uv_handle_t *handle) {
    uva_process_t *process = handle->data;
    uva_runtime_t *rt = process->runtime;
    uva__process_unref(process);
    uva__loop_handle_closed(rt);
}

static void close_handle(uva_process_t *process) {
    uv_close((uv_handle_t *)&process->handle, on_closed);
}

static void close_pipes(uva_process_t *process) {
    for (int i = 0; i < UVA__STDIO; i++) {
        uva_stream_close(process->pipes[i]);
        process->pipes[i] = NULL;
    }
}

static void on_exit_of(uv_process_t *handle, int64_t status, int signum) {
    uva_process_t *process = handle->data;
    process->over = true;
    process->exit = (uva_exit_t){.status = (int)status, .signum = signum};
    if (process->closing)
        uva__forget_resource(process->runtime, &process->resource);
    (void)uva__wake_all(&process->waiters, 0);
    close_handle(process);
}

/* The end of the runtime; the user has closed it before. */
static void let_go(uva__resource_t *resource) {
    uva_process_t *process = UVA__OF(resource, uva_process_t, resource);
    uva__forget_resource(process->runtime, &process->resource);
    close_handle(process);
}

/* A child that runs on alone: seen to its end, if the runtime lasts so long. */
static void leave_alone(uva_process_t *process) {
    uva__open_resource(process->runtime, &process->resource, NULL,
                       process->resource.site, let_go);
}

/* The loop has to run until libuv has seen the end, and nobody else may be
 * keeping it alive. False where we may not kill it: then nobody waits. */
static bool kill_child(uva_process_t *process) {
    if (uv_process_kill(&process->handle, SIGKILL) < 0)
        return false;
    uv_ref((uv_handle_t *)&process->handle);
    return true;
}

void uva_process_close(uva_process_t *process) {
    if (process == NULL ||
        !uva__may_close(process->runtime, "uva_process_close",
                        &process->closing))
        return;
    uva__forget_resource(process->runtime, &process->resource);
    close_pipes(process);
    (void)uva__wake_all(&process->waiters, UV_ECANCELED);
    if (!process->over && (process->detached || !kill_child(process)))
        leave_alone(process);
    uva__process_unref(process);
}

static void close_resource(uva__resource_t *resource) {
    uva_process_close(UVA__OF(resource, uva_process_t, resource));
}

/* ---- the pipes ---------------------------------------------------------- */

/* A pipe for the child's descriptor i: ours[i] and theirs[i]. */
static int open_pair(int i, int ours[UVA__STDIO], int theirs[UVA__STDIO]) {
    int ends[2];
    int code = i == STDIN_FILENO ? uv_socketpair(SOCK_STREAM, 0, ends, 0, 0)
                                 : uv_pipe(ends, 0, 0);
    if (code < 0)
        return code;
    ours[i] = ends[0];
    theirs[i] = ends[1];
    return 0;
}

static void close_all(int fds[UVA__STDIO]) {
    for (int i = 0; i < UVA__STDIO; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
        fds[i] = -1;
    }
}

static bool is_stdio(uva_stdio_t kind, int i) {
    return kind >= UVA_STDIO_INHERIT &&
           kind <= (i == STDERR_FILENO ? UVA_STDIO_STDOUT : UVA_STDIO_FD);
}

static uv_stdio_container_t inherit(int fd) {
    uv_stdio_container_t container = {.flags = UV_INHERIT_FD, .data.fd = fd};
    return container;
}

/* Says what the child gets as its three descriptors, and makes the pipes. */
static int open_stdio(const uva_process_options_t *options,
                      uv_stdio_container_t containers[UVA__STDIO],
                      int ours[UVA__STDIO], int theirs[UVA__STDIO]) {
    const uva_stdio_t kinds[UVA__STDIO] = {options->in, options->out,
                                           options->err};
    const int fds[UVA__STDIO] = {options->in_fd, options->out_fd,
                                 options->err_fd};
    for (int i = 0; i < UVA__STDIO; i++) {
        int code = 0;
        containers[i] = (uv_stdio_container_t){.flags = UV_IGNORE};
        if (kinds[i] == UVA_STDIO_INHERIT)
            containers[i] = inherit(i);
        else if (kinds[i] == UVA_STDIO_FD)
            containers[i] = inherit(fds[i]);
        else if (kinds[i] == UVA_STDIO_STDOUT)
            containers[i] = containers[STDOUT_FILENO];
        else if (kinds[i] == UVA_STDIO_PIPE)
            code = open_pair(i, ours, theirs);
        if (code < 0)
            return code;
        if (theirs[i] >= 0)
            containers[i] = inherit(theirs[i]);
    }
    return 0;
}

/* Makes streams of our ends, which are taken, also on failure. */
static int adopt_pipes(uva_process_t *process, const char *site,
                       int ours[UVA__STDIO]) {
    int code = 0;
    for (int i = 0; i < UVA__STDIO && code == 0; i++) {
        if (ours[i] < 0)
            continue;
        code = uva__socket_adopt(process->runtime, UVA__PIPE, ours[i], site,
                                 &process->pipes[i]);
        ours[i] = -1;
    }
    return code;
}

/* ---- spawning ----------------------------------------------------------- */

/* On failure libuv may have made the handle or not; its type tells. */
static int spawn(uva_process_t *process, const uva_process_options_t *options,
                 uv_stdio_container_t containers[UVA__STDIO]) {
    const char *const only_file[] = {options->file, NULL};
    const char *const *args = options->args != NULL ? options->args : only_file;
    const uv_process_options_t raw = {.exit_cb = on_exit_of,
                                      .file = options->file,
                                      .args = (char **)(uintptr_t)args,
                                      .env = (char **)(uintptr_t)options->env,
                                      .cwd = options->cwd,
                                      .flags = options->flags,
                                      .stdio_count = UVA__STDIO,
                                      .stdio = containers,
                                      .uid = options->uid,
                                      .gid = options->gid};
    uva_runtime_t *rt = process->runtime;
    int code = uv_spawn(rt->loop, &process->handle, &raw);
    if (process->handle.type != UV_PROCESS)
        return code;
    (void)uva__loop_adopt(rt, (uv_handle_t *)&process->handle, process, 0);
    process->refs++;
    if (code < 0)
        close_handle(process);
    return code;
}

/* One that stands among the resources, and has no child. */
static uva_process_t *make(uva_runtime_t *rt, const char *site,
                           const uva_process_options_t *options) {
    uva_process_t *process = uva__take(&rt->pools, sizeof *process);
    if (process == NULL)
        return NULL;
    *process = (uva_process_t){.runtime = rt,
                               .refs = 1,
                               .detached =
                                   (options->flags & UV_PROCESS_DETACHED) != 0};
    uva__open_resource(rt, &process->resource, "process", site, close_resource);
    return process;
}

/* Takes back what has no child. */
static void unmake(uva_process_t *process) {
    process->over = true;
    uva_process_close(process);
}

static int open_process(const char *site, const uva_process_options_t *options,
                        uva_process_t *process) {
    uv_stdio_container_t containers[UVA__STDIO];
    int ours[UVA__STDIO] = {-1, -1, -1};
    int theirs[UVA__STDIO] = {-1, -1, -1};
    int code = open_stdio(options, containers, ours, theirs);
    if (code == 0)
        code = adopt_pipes(process, site, ours);
    if (code == 0)
        code = spawn(process, options, containers);
    close_all(ours);
    close_all(theirs);
    return code;
}

static bool is_sound(const uva_process_options_t *options) {
    return options != NULL && options->file != NULL &&
           (options->flags & ~(unsigned)FLAGS) == 0 &&
           is_stdio(options->in, STDIN_FILENO) &&
           is_stdio(options->out, STDOUT_FILENO) &&
           is_stdio(options->err, STDERR_FILENO);
}

int uva_process_spawn_at(const char *site, const uva_process_options_t *options,
                         uva_process_t **ret_process) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_process_spawn", &code);
    if (rt == NULL)
        return code;
    if (!is_sound(options) || ret_process == NULL)
        return UV_EINVAL;
    uva_process_t *process = make(rt, site, options);
    if (process == NULL)
        return UV_ENOMEM;
    code = open_process(site, options, process);
    if (code < 0) {
        unmake(process);
        return code;
    }
    *ret_process = process;
    return 0;
}

int(uva_process_spawn)(const uva_process_options_t *options,
                       uva_process_t **ret_process) {
    return uva_process_spawn_at(NULL, options, ret_process);
}

/* ---- calls -------------------------------------------------------------- */

int uva_process_try_wait(const uva_process_t *process, uva_exit_t *ret_exit) {
    if (process == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(process->runtime, "uva_process_try_wait");
    if (code < 0)
        return code;
    if (!process->over)
        return UV_EAGAIN;
    if (ret_exit != NULL)
        *ret_exit = process->exit;
    return 0;
}

/* Who wakes us: the child's end or the close, which take us out of the queue;
 * so once. */
static int wait_in(uva__task_t *task, uva_process_t *process) {
    if (!process->over) {
        uva__waiter_t waiter = {.wait = &process_wait};
        return uva__park_in(task, &process->waiters, &waiter);
    }
    return uva__spend(task);
}

int uva_process_wait(uva_process_t *process, uva_exit_t *ret_exit) {
    uva__task_t *task = uva__running("uva_process_wait");
    if (task == NULL)
        return UV_EPERM;
    if (process == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(process->runtime, "uva_process_wait");
    if (code < 0)
        return code;
    process->refs++;
    code = wait_in(task, process);
    if (code == 0)
        (void)uva_process_try_wait(process, ret_exit);
    uva__process_unref(process);
    return code;
}

int uva_process_pid(const uva_process_t *process) {
    return process != NULL ? process->handle.pid : UV_EINVAL;
}

int uva_process_kill(uva_process_t *process, int signum) {
    if (process == NULL || signum < 0)
        return UV_EINVAL;
    int code = uva__must_be_ours(process->runtime, "uva_process_kill");
    if (code < 0)
        return code;
    /* Its number may be another's by now. */
    if (process->over)
        return UV_ESRCH;
    return uv_process_kill(&process->handle, signum);
}

uva_stream_t *uva_process_stdin(const uva_process_t *process) {
    return process != NULL ? process->pipes[STDIN_FILENO] : NULL;
}

uva_stream_t *uva_process_stdout(const uva_process_t *process) {
    return process != NULL ? process->pipes[STDOUT_FILENO] : NULL;
}

uva_stream_t *uva_process_stderr(const uva_process_t *process) {
    return process != NULL ? process->pipes[STDERR_FILENO] : NULL;
}

int uva_process_close_pipe(uva_process_t *process, int fd) {
    if (process == NULL || fd < 0 || fd >= UVA__STDIO)
        return UV_EINVAL;
    int code = uva__must_be_ours(process->runtime, "uva_process_close_pipe");
    if (code < 0)
        return code;
    uva_stream_close(process->pipes[fd]);
    process->pipes[fd] = NULL;
    return 0;
}
