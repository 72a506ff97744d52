/**
 * madvise() for many ranges at once.
 */
#ifndef UVA__ADVISE_H
#define UVA__ADVISE_H

#include <stddef.h>
#include <sys/uio.h>

/* The most ranges that one call takes. */
#define UVA__ADVISE_MAX 64

/**
 * Gives `advice` on each of the `count` ranges (at most UVA__ADVISE_MAX), in
 * order, and stops at the first that is refused.
 *
 * Returns:  how many ranges, from the first on, were accepted; when that is
 *           fewer than count, *ret_code says why the next one was not, as a
 *           libuv code
 */
size_t uva__advise(const struct iovec ranges[], size_t count, int advice,
                   int *ret_code);

#endif
