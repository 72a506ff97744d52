/*
 * What: uva_gather() and uva_gather_settled(): all values, or all codes.
 */
#include "crowd.h"
#include "uvawait/combine.h"

static const uva__wait_t gather_wait = {.reason = "gather",
                                        .cancel = uva__crowd_pass_on};

/* The first failure is the outcome, and ends the others. */
static bool first_failure(uva__crowd_t *crowd, size_t index, int code) {
    if (code >= 0 || crowd->chosen < crowd->count)
        return false;
    crowd->chosen = index;
    return true;
}

static void collect_values(const uva__crowd_t *crowd, char *place) {
    for (size_t i = 0; i < crowd->count; i++)
        place = uva__copy_value(crowd->futures[i], place);
}

int uva_gather(uva_future_t *futures[], size_t count, void *ret_values) {
    if (futures == NULL && count > 0)
        return UV_EINVAL;
    uva__crowd_t crowd = {.wait = &gather_wait,
                          .futures = futures,
                          .count = count,
                          .decides = first_failure};
    int code = uva__crowd_check(&crowd, "uva_gather");
    if (code < 0)
        return code;
    code = uva__crowd_wait(&crowd);
    if (code == 0 && crowd.chosen == count)
        collect_values(&crowd, ret_values);
    int failure = uva__crowd_dismiss(&crowd, NULL);
    return code < 0 ? code : failure;
}

/* The values are of one type; a child that could not be made has none. */
static size_t value_bytes(const uva__crowd_t *crowd) {
    for (size_t i = 0; i < crowd->count; i++) {
        if (crowd->futures[i] != NULL)
            return crowd->futures[i]->value_bytes;
    }
    return sizeof(void *);
}

/* Fills in codes, and the values of successes; true: a child was cancelled. */
static bool collect_settled(const uva__crowd_t *crowd, char *place,
                            int ret_codes[]) {
    bool was_cancelled = false;
    size_t step = value_bytes(crowd);
    for (size_t i = 0; i < crowd->count; i++) {
        const uva_future_t *f = crowd->futures[i];
        int code = uva__crowd_code(crowd, i);
        was_cancelled = was_cancelled || code == UV_ECANCELED;
        if (ret_codes != NULL)
            ret_codes[i] = code;
        if (place == NULL)
            continue;
        if (code >= 0)
            (void)uva__copy_value(f, place);
        place += step;
    }
    return was_cancelled;
}

int uva_gather_settled(uva_future_t *futures[], size_t count, void *ret_values,
                       int ret_codes[]) {
    if (futures == NULL && count > 0)
        return UV_EINVAL;
    uva__crowd_t crowd = {
        .wait = &gather_wait, .futures = futures, .count = count};
    int code = uva__crowd_check(&crowd, "uva_gather_settled");
    if (code < 0)
        return code;
    code = uva__crowd_wait(&crowd);
    bool was_cancelled = collect_settled(&crowd, ret_values, ret_codes);
    (void)uva__crowd_dismiss(&crowd, NULL);
    if (code < 0)
        return code;
    return was_cancelled && crowd.passed_on ? UV_ECANCELED : 0;
}
