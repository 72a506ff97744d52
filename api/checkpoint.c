/*
 * What: uva_checkpoint(): a yield that also meets what came while it gave way.
 *
 * A yield has no outcome that a late cancellation could take away, so asking
 * once more afterwards breaks no promise.
 */
#include "runtime/seam.h"
#include "uvawait/time.h"

int uva_checkpoint(void) {
    uva__task_t *task = uva__running("uva_checkpoint");
    if (task == NULL)
        return UV_EPERM;
    int code = uva_yield();
    return code < 0 ? code : uva__may_park(task);
}
