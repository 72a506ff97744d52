/*
 * The deadlines of a runtime: a pairing heap, intrusive in the scopes and
 * sleeping waiters, so that arming can neither fail nor allocate.
 *
 * Arming is one comparison with the earliest. Disarming one that never became
 * the earliest is unlinking it; most timeouts live and die like that. Only what
 * expires pays O(log n), amortised. Equal moments expire in the order of
 * arming.
 *
 * Source: Fredman, Sedgewick, Sleator, Tarjan, "The pairing heap: a new form
 * of self-adjusting heap", Algorithmica 1 (1986).
 */
#ifndef UVA__DEADLINES_H
#define UVA__DEADLINES_H

#include "uvawait/scope.h"

typedef struct uva__deadlines {
    uva_deadline_t *earliest; /* the heap's root; NULL when empty */
    uint64_t order;           /* counts arming; breaks ties */
} uva__deadlines_t;

static inline bool uva__deadline_is_armed(const uva_deadline_t *deadline) {
    return deadline->order != 0;
}

/* Arms a deadline that is not armed. deadline->expire must be set. */
void uva__deadlines_arm(uva__deadlines_t *deadlines, uva_deadline_t *deadline,
                        uint64_t at_ns);

/* Disarms; one that is not armed is left alone. */
void uva__deadlines_disarm(uva__deadlines_t *deadlines,
                           uva_deadline_t *deadline);

/* Disarms and calls everything that is due, earliest first. An expire may arm
 * and disarm others. Returns how many. */
size_t uva__deadlines_expire(uva__deadlines_t *deadlines, uint64_t now_ns);

#endif
