/*
 * What: uva_staggered_race(): attempts that begin one after the other, and the
 * first success; the engine of "happy eyeballs" (RFC 8305).
 *
 * How: a task group whose children are the attempts. The body begins one, waits
 * until it is over or the delay is, and begins the next. Who wins cancels the
 * group: the body and the other attempts. A failure must not, so it is noted,
 * and the child ends as if cancelled, which keeps its message and is no failure
 * of the group.
 */
#include "runtime/seam.h"
#include "uvawait/combine.h"
#include "uvawait/group.h"

typedef struct stagger {
    uva_group_t group;
    uva_fn fn;
    char *items;
    size_t item_bytes;
    int *codes;            /* may be NULL */
    bool is_won;           /* `index` and `code` are the winner's */
    size_t index;          /* of who ended last; valid with a task */
    int code;              /* the same one's */
    uva_future_t *decider; /* held: the same one; NULL: it had no task */
} stagger_t;

typedef struct attempt {
    stagger_t *race;
    size_t index;
} attempt_t;

/* An attempt is over: the first success decides, before that each failure. */
static void note(stagger_t *race, size_t index, int code, uva_future_t *task) {
    if (race->codes != NULL)
        race->codes[index] = code;
    if (race->is_won)
        return;
    race->is_won = code >= 0;
    race->index = index;
    race->code = code;
    uva_unref(race->decider);
    race->decider = uva_ref(task);
    if (race->is_won)
        (void)uva_group_cancel(&race->group);
}

static int try_one(void *arg) {
    const attempt_t *self = arg;
    stagger_t *race = self->race;
    int code = race->fn(race->items + self->index * race->item_bytes);
    note(race, self->index, code, uva_current());
    return code < 0 ? UV_ECANCELED : code;
}

/* Begins an attempt and waits for its end, or the delay. < 0: no other is to
 * begin. */
static int begin(stagger_t *race, size_t index, uint64_t delay_ms) {
    const attempt_t attempt = {.race = race, .index = index};
    const uva_task_options_t options = {.name = "uva_staggered_race",
                                        .copy = &attempt,
                                        .copy_bytes = sizeof attempt};
    uva_task_t *task = NULL;
    int code = uva_group_spawn_with_at("uva_staggered_race()", &race->group,
                                       &options, try_one, NULL, &task);
    if (code == UV_ENOMEM) { /* an attempt that failed (R4) */
        note(race, index, code, NULL);
        return 0;
    }
    if (code == 0)
        code = uva_wait(&task, 1, UVA_ALL_COMPLETED, delay_ms);
    uva_unref(task);
    return code;
}

int uva_staggered_race(uva_fn fn, void *items, size_t count, size_t item_bytes,
                       uint64_t delay_ms, size_t *ret_index, void *ret_value,
                       int ret_codes[]) {
    if (fn == NULL || items == NULL || count == 0)
        return UV_EINVAL;
    if (uva__running("uva_staggered_race") == NULL)
        return UV_EPERM;
    stagger_t race = {.fn = fn,
                      .items = items,
                      .item_bytes = item_bytes,
                      .codes = ret_codes,
                      .code = UV_ECANCELED};
    for (size_t i = 0; ret_codes != NULL && i < count; i++)
        ret_codes[i] = UV_EAGAIN;
    uva_group_open(&race.group);
    int code = 0;
    for (size_t i = 0; i < count && code >= 0; i++)
        code = begin(&race, i, i + 1 < count ? delay_ms : UVA_FOREVER);
    code = uva_group_close(&race.group);
    if (race.is_won && ret_index != NULL)
        *ret_index = race.index;
    if (race.decider != NULL)
        (void)uva__deliver(race.decider, ret_value);
    uva_unref(race.decider);
    return race.is_won || code == 0 ? race.code : code;
}
