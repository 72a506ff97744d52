/*
 * Making a runtime on a loop; what uva_run shares with uva_runtime_attach.
 */
#ifndef UVA__ATTACH_H
#define UVA__ATTACH_H

#include "runtime.h"

/* As uva_runtime_attach(). On failure handles may still have to be closed by
 * running the loop. */
int uva__attach(uv_loop_t *loop, const uva_options_t *options,
                uva_runtime_t **ret_runtime);

#endif
