/*
 * What: uva_shield(): a future that ends as another does, but whose
 * cancellation stops there.
 *
 * How: a future of its own kind that watches the inner one. Cancelled, it stops
 * watching and is over; the inner one runs on, and what becomes of it is seen
 * or reported like that of any other.
 */
#include "runtime/seam.h"
#include "uvawait/combine.h"

typedef struct shield {
    uva_future_t future;
    uva__watcher_t watcher;
    uva_future_t *inner; /* held until the shield is over; longer, until it is
                            dropped, where the value lies in the inner one */
} shield_t;

static shield_t *shield_of(uva_future_t *f) {
    return UVA__OF(f, shield_t, future);
}

static void let_go(shield_t *shield) {
    uva_future_t *inner = shield->inner;
    shield->inner = NULL;
    uva_unref(inner);
}

static uva_future_t *cancel_shield(uva_future_t *f, uva__text_t *reason) {
    shield_t *shield = shield_of(f);
    uva__unwatch(shield->inner, &shield->watcher);
    let_go(shield);
    uva__text_put(&f->message, uva__text_ref(reason));
    uva__complete(f, UV_ECANCELED);
    return NULL;
}

static void drop_shield(uva_future_t *f) {
    shield_t *shield = shield_of(f);
    if (shield->inner == NULL)
        return;
    if (!uva__is_done(f)) /* the inner one runs */
        uva__unwatch(shield->inner, &shield->watcher);
    let_go(shield);
}

static const uva__future_kind_t shield_kind = {.noun = "shield",
                                               .bytes = sizeof(shield_t),
                                               .cancel = cancel_shield,
                                               .drop = drop_shield};

/* Ends as the inner future did. */
static void mirror(shield_t *shield) {
    uva_future_t *f = &shield->future;
    uva_future_t *inner = shield->inner;
    inner->seen = true;
    f->value = inner->value;
    f->is_apart = inner->is_apart;
    f->message = uva__text_ref(inner->message);
    int code = inner->code;
    if (!f->is_apart)
        let_go(shield);
    /* A shield around this one may let go of the last reference. */
    f->refs++;
    uva__complete(f, code);
    uva_unref(f);
}

static void fire(uva__watcher_t *watcher, uva_future_t *inner) {
    (void)inner;
    mirror(UVA__OF(watcher, shield_t, watcher));
}

uva_future_t *uva_shield(uva_future_t *f) {
    if (f == NULL || !uva__is_ours(f, "uva_shield"))
        return NULL;
    uva_future_t *made = uva__future_make(&shield_kind, f->runtime, f->site);
    if (made == NULL) {
        /* Who gets NULL knows that none of it has run. */
        f->seen = f->seen || f->state == UVA__UNSTARTED;
        uva_unref(f);
        return NULL;
    }
    shield_t *shield = shield_of(made);
    shield->watcher.fire = fire;
    shield->inner = f;
    made->value_bytes = f->value_bytes;
    (void)uva__start(f, NULL);
    if (uva__is_done(f))
        mirror(shield);
    else
        uva__watch(f, &shield->watcher);
    return made;
}
