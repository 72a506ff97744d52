/*
 * Reports: what a program should know and no return code can tell it. One
 * hook, one text a report. Also the misuse of a call that a program can
 * survive: reported, then refused with a code.
 */
#ifndef UVA__REPORT_H
#define UVA__REPORT_H

#include "assert.h"
#include "runtime.h"
#include "uvawait/base.h"

/* rt NULL: to stderr. */
UVA__COLD UVA_PRINTF(2, 3) void uva__report(const uva_runtime_t *rt,
                                            const char *format, ...);

/* "call: what is wrong", to the runtime of this thread. Returns UV_EPERM. */
UVA__COLD UVA_PRINTF(2, 3) int uva__misuse(const char *call, const char *format,
                                           ...);

/* Where a UVA_SITE stands, without its arguments: prints with "%.*s". */
int uva__site_length(const char *site);

/* The nth argument (from 0) of a UVA_SITE's call. ret_length gets its length;
 * the result is NULL when there is none. */
const char *uva__site_argument(const char *site, unsigned nth, int *ret_length);

#endif
