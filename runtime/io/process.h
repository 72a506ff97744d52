/*
 * Processes inside. A process is RUNNING until libuv has reaped the child, then
 * OVER; its memory goes when the user has closed it, libuv has closed the
 * handle, and no task is inside a call on it.
 */
#ifndef UVA__IO_PROCESS_H
#define UVA__IO_PROCESS_H

#include "../park.h"
#include "../runtime.h"
#include "uvawait/process.h"

enum { UVA__STDIO = 3 };

struct uva_process {
    uva_runtime_t *runtime;
    uint32_t refs; /* the user's + the handle's + calls inside */
    bool closing;  /* the user has closed it */
    bool over;     /* `exit` is known */
    bool detached;
    uva_exit_t exit;
    uva_waiters_t waiters;
    uva_stream_t *pipes[UVA__STDIO]; /* our ends; NULL: none */
    uva__resource_t resource;
    uv_process_t handle; /* its data is the process */
};

/* For the time of a call: process->refs++ before. */
void uva__process_unref(uva_process_t *process);

#endif
