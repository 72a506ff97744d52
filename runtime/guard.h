/**
 * Guards: the inaccessible gap below each stack, by whichever means the kernel
 * has, and the account of how many more of them it will bear.
 */
#ifndef UVA__GUARD_H
#define UVA__GUARD_H

#include "uvawait/inspect.h"

#include <stddef.h>
#include <stdint.h>

/* The gap below a stack, rounded up to pages. Sixteen pages of 4 KiB, because
 * a frame may jump over a gap smaller than itself without touching it, and a
 * buffer of 64 KiB (what libuv suggests for a read) is the largest that people
 * put into a frame. Measured against a gap of one page: 0.3 us and 128 bytes
 * of page table for each fresh stack, nothing for a recycled one. */
#define UVA__GUARD_BYTES ((size_t)64 * 1024)

/* One per runtime; only its thread touches it. */
typedef struct uva__guards {
    uva_guard_t kind;   /* NONE_YET until the first; never back to MADVISE */
    const char *note;   /* MPROTECT: why not MADVISE, a static text */
    bool locked;        /* MPROTECT: because stacks are locked into memory */
    size_t guard_bytes; /* UVA__GUARD_BYTES in whole pages */
    size_t page_bytes;  /* of this system */
    size_t map_room;    /* MPROTECT: guards that fitted under the map limit
                            when last counted, less those made since */
    size_t map_budget;  /* MPROTECT: guards that may be made before the maps
                            are counted again; never above map_room */
    size_t protected_count; /* MPROTECT: guards made that way */
    uint64_t refused_ns;    /* MPROTECT: when the last count left no room; 0: it
                            left some */
    char why[384];          /* the text of the last refusal */
} uva__guards_t;

void uva__guards_init(uva__guards_t *guards);

/**
 * Makes `count` gaps of guard_bytes inaccessible: at first, first + stride, ...
 *
 * Returns:  how many, from the first on, now stand; when that is fewer than
 *           count, *ret_why is a text that tells the remedy, borrowed until
 *           the next refusal by `guards`
 */
size_t uva__guards_install(uva__guards_t *guards, char *first, size_t stride,
                           size_t count, const char **ret_why);

/**
 * Whether the process is so near the kernel's map limit that it, and not lack
 * of memory, explains an ENOMEM. If so the text of guards->why says it.
 */
bool uva__guards_maps_exhausted(uva__guards_t *guards);

/* Lines of /proc/self/maps; 0 when it cannot be read. */
size_t uva__guards_count_maps(void);

/* vm.max_map_count; the kernel's default when it cannot be read. */
size_t uva__guards_map_limit(void);

#endif
