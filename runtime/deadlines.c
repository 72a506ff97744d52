/*
 * What: the pairing heap of deadlines.h.
 *
 * How: a node's children are a list linked by `next`; `prev` is the elder
 * sibling, or the parent for the first child. Taking the earliest melds its
 * children in two passes, pairwise left to right, then right to left.
 *
 * Rejected: an array heap (must grow, and uva_scope_open() has no way to say
 * that it could not); a timer wheel (equal deadlines lose their order when a
 * slot cascades, and the next moment is known only roughly, so the loop would
 * wake for nothing).
 */
#include "deadlines.h"

#include "assert.h"

static bool is_before(const uva_deadline_t *a, const uva_deadline_t *b) {
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns;
    return a->order < b->order;
}

/* Makes the later of two roots the first child of the other. */
static uva_deadline_t *meld(uva_deadline_t *a, uva_deadline_t *b) {
    if (is_before(b, a)) {
        uva_deadline_t *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child != NULL)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* Makes one heap of a list of siblings. */
static uva_deadline_t *meld_siblings(uva_deadline_t *first) {
    uva_deadline_t *pairs = NULL; /* the last pair first, linked by next */
    while (first != NULL) {
        uva_deadline_t *a = first;
        uva_deadline_t *b = a->next;
        first = b != NULL ? b->next : NULL;
        if (b != NULL)
            a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    uva_deadline_t *root = NULL;
    while (pairs != NULL) {
        uva_deadline_t *next = pairs->next;
        root = root != NULL ? meld(root, pairs) : pairs;
        pairs = next;
    }
    if (root != NULL) {
        root->next = NULL;
        root->prev = NULL;
    }
    return root;
}

void uva__deadlines_arm(uva__deadlines_t *deadlines, uva_deadline_t *deadline,
                        uint64_t at_ns) {
    UVA__ASSERT(!uva__deadline_is_armed(deadline));
    deadline->child = NULL;
    deadline->next = NULL;
    deadline->prev = NULL;
    deadline->at_ns = at_ns;
    deadline->order = ++deadlines->order;
    uva_deadline_t *root = deadlines->earliest;
    deadlines->earliest = root != NULL ? meld(root, deadline) : deadline;
}

void uva__deadlines_disarm(uva__deadlines_t *deadlines,
                           uva_deadline_t *deadline) {
    if (!uva__deadline_is_armed(deadline))
        return;
    deadline->order = 0;
    uva_deadline_t *rest = NULL;
    if (deadline->child != NULL)
        rest = meld_siblings(deadline->child);
    if (deadline == deadlines->earliest) {
        deadlines->earliest = rest;
        return;
    }
    if (deadline->prev->child == deadline)
        deadline->prev->child = deadline->next;
    else
        deadline->prev->next = deadline->next;
    if (deadline->next != NULL)
        deadline->next->prev = deadline->prev;
    if (rest != NULL)
        deadlines->earliest = meld(deadlines->earliest, rest);
}

size_t uva__deadlines_expire(uva__deadlines_t *deadlines, uint64_t now_ns) {
    size_t count = 0;
    while (deadlines->earliest != NULL &&
           deadlines->earliest->at_ns <= now_ns) {
        uva_deadline_t *due = deadlines->earliest;
        uva__deadlines_disarm(deadlines, due);
        due->expire(due);
        count++;
    }
    return count;
}
