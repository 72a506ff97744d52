/*
 * What: SIGINT and SIGTERM end a program in good order: main is cancelled, and
 * so may clean up.
 *
 * How: libuv's signal handles, from before main runs until the first signal or
 * main's end. Then what was before is in force again: a second Ctrl-C, while
 * main cleans up or hangs, does what it would have done without us.
 *
 * libuv puts the default action in the place of its handler when nobody listens
 * any more; a handler that the program had before is put back on top of that. A
 * signal that is ignored stays so: whoever started us in the background, or
 * under nohup, meant it.
 *
 * Rejected: remembering in a global who was first, so that two runtimes that
 * listen at the same time put back the handler of before both. While another
 * loop listens to the signal, libuv's handler stays, and afterwards the default
 * action is in force.
 */
#include "interrupt.h"

#include <errno.h>
#include <string.h>

#include "loop.h"
#include "task.h"
#include "text.h"

static const int signums[UVA__INTERRUPTS] = {SIGINT, SIGTERM};

static bool is_same(const struct sigaction *one, const struct sigaction *two) {
    return (one->sa_flags & SA_SIGINFO) == (two->sa_flags & SA_SIGINFO) &&
           one->sa_handler == two->sa_handler;
}

static bool is(const struct sigaction *action, void (*handler)(int signum)) {
    return (action->sa_flags & SA_SIGINFO) == 0 &&
           action->sa_handler == handler;
}

static void put_back(int signum, const struct sigaction *former) {
    struct sigaction now;
    if (sigaction(signum, NULL, &now) == 0 && is(&now, SIG_DFL))
        (void)sigaction(signum, former, NULL);
}

void uva__interrupt_stop(uva__interrupt_t *interrupt) {
    for (int i = 0; i < UVA__INTERRUPTS; i++) {
        if (!interrupt->signals[i].is_on)
            continue;
        interrupt->signals[i].is_on = false;
        uv_signal_t *handle = &interrupt->signals[i].handle;
        (void)uv_signal_stop(handle);
        uva__loop_close(interrupt->runtime, (uv_handle_t *)handle);
        put_back(signums[i], &interrupt->signals[i].former);
    }
    if (interrupt->runtime != NULL)
        interrupt->runtime->interruptible = false;
}

static void on_signal(uv_signal_t *handle, int signum) {
    uva__interrupt_t *interrupt = handle->data;
    uva__task_t *main = interrupt->runtime->main;
    if (main == NULL || interrupt->came)
        return;
    interrupt->came = true;
    uva__interrupt_stop(interrupt);
    uva__text_t *reason = uva__text_new(
        signum == SIGINT ? "interrupted by SIGINT" : "terminated by SIGTERM");
    (void)uva__cancel(&main->future, reason);
    uva__text_unref(reason);
}

static int start(uva__interrupt_t *interrupt, int i) {
    uva_runtime_t *rt = interrupt->runtime;
    uv_signal_t *handle = &interrupt->signals[i].handle;
    struct sigaction *former = &interrupt->signals[i].former;
    if (sigaction(signums[i], NULL, former) != 0)
        return uv_translate_sys_error(errno);
    if (is(former, SIG_IGN))
        return 0;
    int code = uva__loop_adopt(rt, (uv_handle_t *)handle, interrupt,
                               uv_signal_init(rt->loop, handle));
    if (code < 0)
        return code;
    interrupt->signals[i].is_on = true;
    rt->interruptible = true;
    code = uv_signal_start(handle, on_signal, signums[i]);
    /* Was it libuv's own, for another loop? That is not ours to put back. */
    struct sigaction now;
    if (code == 0 && sigaction(signums[i], NULL, &now) == 0 &&
        is_same(former, &now))
        *former = (struct sigaction){.sa_handler = SIG_DFL};
    return code;
}

int uva__interrupt_start(uva__interrupt_t *interrupt, uva_runtime_t *rt) {
    int code = 0;
    memset(interrupt, 0, sizeof *interrupt);
    interrupt->runtime = rt;
    for (int i = 0; i < UVA__INTERRUPTS && code == 0; i++)
        code = start(interrupt, i);
    if (code < 0)
        uva__interrupt_stop(interrupt);
    return code;
}

int uva__interrupt_code(const uva__interrupt_t *interrupt, int code) {
    return interrupt->came && code == UV_ECANCELED ? UV_EINTR : code;
}
