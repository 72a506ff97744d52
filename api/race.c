/*
 * What: uva_race(): the first success of a crowd.
 */
#include "crowd.h"
#include "uvawait/combine.h"

static const uva__wait_t race_wait = {.reason = "race",
                                      .cancel = uva__crowd_pass_on};

static bool has_won(const uva__crowd_t *crowd) {
    return crowd->chosen < crowd->count &&
           uva__crowd_code(crowd, crowd->chosen) >= 0;
}

/* The first success is the outcome and ends the others; until then, the last
 * failure is. */
static bool first_success(uva__crowd_t *crowd, size_t index, int code) {
    if (has_won(crowd))
        return false;
    crowd->chosen = index;
    return code >= 0;
}

int uva_race(uva_future_t *futures[], size_t count, size_t *ret_index,
             void *ret_value) {
    if (futures == NULL || count == 0)
        return UV_EINVAL;
    uva__crowd_t crowd = {.wait = &race_wait,
                          .futures = futures,
                          .count = count,
                          .decides = first_success};
    int code = uva__crowd_check(&crowd, "uva_race");
    if (code < 0)
        return code;
    code = uva__crowd_wait(&crowd);
    if (code == 0 && has_won(&crowd) && ret_index != NULL)
        *ret_index = crowd.chosen;
    int outcome = uva__crowd_dismiss(&crowd, ret_value);
    return code < 0 ? code : outcome;
}
