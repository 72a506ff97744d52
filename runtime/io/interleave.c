/*
 * What: alternating the families of a host's addresses.
 *
 * A resolver gives all addresses of the better family first. Where that family
 * is broken on the way, each would cost the race a delay before the other
 * family has its first turn; alternating, that comes second.
 *
 * How: the list is split in two by relinking it, and one half woven into the
 * other. Nothing is allocated, so it cannot fail.
 */
#include "interleave.h"

/* Takes what is not of the family of the first out of the list. */
static struct addrinfo *take_others(struct addrinfo *list) {
    struct addrinfo *others = NULL;
    struct addrinfo **others_end = &others;
    struct addrinfo **next = &list->ai_next;
    while (*next != NULL) {
        struct addrinfo *at = *next;
        if (at->ai_family == list->ai_family) {
            next = &at->ai_next;
            continue;
        }
        *next = at->ai_next;
        at->ai_next = NULL;
        *others_end = at;
        others_end = &at->ai_next;
    }
    return others;
}

void uva__interleave(struct addrinfo *list) {
    if (list == NULL)
        return;
    struct addrinfo *others = take_others(list);
    struct addrinfo *at = list;
    while (others != NULL) {
        struct addrinfo *after = at->ai_next;
        at->ai_next = others;
        if (after == NULL)
            return; /* the rest is of the others */
        others = others->ai_next;
        at->ai_next->ai_next = after;
        at = after;
    }
}
