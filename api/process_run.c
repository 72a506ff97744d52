/*
 * What: uva_process_run(): a process from its beginning to its end.
 *
 * However it goes, no child is left behind: cut short, it is asked to end, and
 * after a while made to, behind a shield.
 */
#include <signal.h>

#include "runtime/seam.h"
#include "uvawait/process.h"
#include "uvawait/scope.h"

#define GRACE_MS UINT64_C(5000)

/* Ends the process and waits for that, whatever is asked of the task. */
static void end_process(uva_process_t *process, uint64_t grace_ms) {
    uva_scope_t shield;
    uva_scope_t patience;
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    (void)uva_process_kill(process, SIGTERM);
    uva_scope_open(&patience, grace_ms, 0);
    (void)uva_process_wait(process, NULL);
    (void)uva_scope_close(&patience);
    (void)uva_process_kill(process, SIGKILL);
    (void)uva_process_wait(process, NULL);
    (void)uva_scope_close(&shield);
}

int uva_process_run_at(const char *site, const uva_process_options_t *options,
                       const void *input, size_t bytes, uva_output_t *out,
                       uva_output_t *err, uva_exit_t *ret_exit) {
    uva_process_t *process;
    if (out != NULL)
        *out = (uva_output_t){.limit = out->limit};
    if (err != NULL)
        *err = (uva_output_t){.limit = err->limit};
    uva__task_t *task = uva__running("uva_process_run");
    if (task == NULL)
        return UV_EPERM;
    if (options == NULL || (input == NULL && bytes > 0))
        return UV_EINVAL;
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva_process_options_t own = *options;
    own.in = input != NULL ? UVA_STDIO_PIPE : own.in;
    own.out = out != NULL ? UVA_STDIO_PIPE : own.out;
    own.err = err != NULL ? UVA_STDIO_PIPE : own.err;
    code = uva_process_spawn_at(site, &own, &process);
    if (code < 0)
        return code;
    code = uva_process_communicate(process, input, bytes, out, err);
    if (code < 0)
        end_process(process, own.grace_ms > 0 ? own.grace_ms : GRACE_MS);
    else
        (void)uva_process_try_wait(process, ret_exit);
    uva_process_close(process);
    return code;
}

int(uva_process_run)(const uva_process_options_t *options, const void *input,
                     size_t bytes, uva_output_t *out, uva_output_t *err,
                     uva_exit_t *ret_exit) {
    return uva_process_run_at(NULL, options, input, bytes, out, err, ret_exit);
}
