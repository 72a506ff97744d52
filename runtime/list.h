/*
 * Intrusive lists, first in, first out, linked both ways and ended by NULL, so
 * that an all-zero list is empty and can stand in a static initialiser.
 */
#ifndef UVA__LIST_H
#define UVA__LIST_H

#include "uvawait/base.h"

/* The object around its member. */
#define UVA__OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline bool uva__list_is_empty(const uva_list_t *list) {
    return list->first == NULL;
}

static inline void uva__list_push(uva_list_t *list, uva_link_t *link) {
    link->next = NULL;
    link->prev = list->last;
    if (list->last != NULL)
        list->last->next = link;
    else
        list->first = link;
    list->last = link;
}

static inline void uva__list_remove(uva_list_t *list, uva_link_t *link) {
    if (link->prev != NULL)
        link->prev->next = link->next;
    else
        list->first = link->next;
    if (link->next != NULL)
        link->next->prev = link->prev;
    else
        list->last = link->prev;
}

/* The oldest, or NULL. */
static inline uva_link_t *uva__list_pop(uva_list_t *list) {
    uva_link_t *link = list->first;
    if (link != NULL)
        uva__list_remove(list, link);
    return link;
}

#endif
