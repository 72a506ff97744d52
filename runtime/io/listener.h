/*
 * What serving needs of a listener beyond the public calls.
 */
#ifndef UVA__IO_LISTENER_H
#define UVA__IO_LISTENER_H

#include "uvawait/stream.h"

/* Keeps the memory, not the socket, until uva__listener_leave(). 0, or UV_EPERM
 * (reported). */
int uva__listener_enter(uva_listener_t *listener, const char *call);
void uva__listener_leave(uva_listener_t *listener);

/* Closes the socket: who connects is refused. The listener stays the user's,
 * to be closed; accepting on it gives UV_ECANCELED. */
void uva__listener_stop(uva_listener_t *listener);

/* Whether it was stopped or closed. */
bool uva__listener_is_stopped(const uva_listener_t *listener);

#endif
