/*
 * What: the table behind "stack use by place of spawning" in a dump.
 *
 * How: a hash table keyed by the address of the site's literal, open
 * addressing, at most half full. Only in debug: reading a mark costs a system
 * call for each task. Without memory a place is left out.
 */
#include "sites.h"

#include <stdlib.h>

#include "report.h"

typedef struct site {
    const char *site; /* NULL: free */
    size_t tasks;
    size_t deepest_bytes;
} site_t;

typedef struct uva__sites {
    size_t count;
    size_t mask; /* capacity - 1; capacity is a power of two */
    site_t slots[];
} uva__sites_t;

enum { FIRST_CAPACITY = 16 };

static site_t *slot_for(uva__sites_t *sites, const char *site) {
    size_t at = (size_t)((uintptr_t)site * UINT64_C(0x9E3779B97F4A7C15) >> 32);
    for (;; at++) {
        site_t *slot = &sites->slots[at & sites->mask];
        if (slot->site == site || slot->site == NULL)
            return slot;
    }
}

/* Makes room for one more; false without memory. */
static bool grow(uva_runtime_t *rt) {
    uva__sites_t *old = rt->spawn_sites;
    if (old != NULL && old->count * 2 < old->mask)
        return true;
    size_t capacity = old != NULL ? (old->mask + 1) * 2 : FIRST_CAPACITY;
    uva__sites_t *sites =
        calloc(1, sizeof *sites + capacity * sizeof sites->slots[0]);
    if (sites == NULL)
        return false;
    sites->mask = capacity - 1;
    for (size_t i = 0; old != NULL && i <= old->mask; i++) {
        if (old->slots[i].site == NULL)
            continue;
        *slot_for(sites, old->slots[i].site) = old->slots[i];
        sites->count++;
    }
    free(old);
    rt->spawn_sites = sites;
    return true;
}

void uva__sites_note(uva_runtime_t *rt, const uva__task_t *task,
                     const uva__stack_t *stack) {
    if (task->future.site == NULL || !grow(rt))
        return;
    site_t *slot = slot_for(rt->spawn_sites, task->future.site);
    if (slot->site == NULL) {
        slot->site = task->future.site;
        rt->spawn_sites->count++;
    }
    slot->tasks++;
    size_t bytes = uva__stack_used(stack);
    if (bytes > slot->deepest_bytes)
        slot->deepest_bytes = bytes;
}

void uva__sites_print(const uva_runtime_t *rt, FILE *out) {
    const uva__sites_t *sites = rt->spawn_sites;
    for (size_t i = 0; sites != NULL && i <= sites->mask; i++) {
        const site_t *slot = &sites->slots[i];
        if (slot->site != NULL)
            (void)fprintf(out,
                          "  spawned at %.*s: %zu ended, deepest stack %zu "
                          "bytes\n",
                          uva__site_length(slot->site), slot->site, slot->tasks,
                          slot->deepest_bytes);
    }
}

void uva__sites_term(uva_runtime_t *rt) {
    free(rt->spawn_sites);
    rt->spawn_sites = NULL;
}
