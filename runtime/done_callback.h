/*
 * Callbacks of users on futures, as far as the runtime's end must know them.
 */
#ifndef UVA__DONE_CALLBACK_H
#define UVA__DONE_CALLBACK_H

#include "future.h"

/* Lets go of registrations on futures that nobody will complete any more. */
void uva__drop_callbacks(uva_runtime_t *rt);

#endif
