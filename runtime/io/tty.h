/*
 * Terminals.
 */
#ifndef UVA__IO_TTY_H
#define UVA__IO_TTY_H

#include "../runtime.h"
#include "uvawait/stream.h"

/* A stream for a terminal; on failure fd is still the caller's. */
int uva__tty_adopt(uva_runtime_t *rt, int fd, const char *site,
                   uva_stream_t **ret_stream);

#endif
