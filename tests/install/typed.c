/*
 * The typed layer in a user's hands: there is nothing to be said of what its
 * macros expand to, in any dialect of C; and it counts to 42.
 */
#include <uvawait/async.h>

#include <stdio.h>

typedef struct halves {
    int low;
    int high;
    char rest[40];
} halves_t;

UVA_ASYNC(int, doubled, (int, number)) {
    UVA_CHECK(uva_sleep(1));
    UVA_RETURN(2 * number);
}

UVA_ASYNC(halves_t, split, (int, number), (const char *, rest)) {
    halves_t halves = {number / 2, number - number / 2, {rest[0]}};
    UVA_RETURN(halves);
}

UVA_ASYNC(void, nothing) {
    return 0;
}

UVA_GENERATOR(int, up_to, (int, end)) {
    for (int i = 1; i <= end; i++)
        UVA_YIELD(i);
    return 0;
}

UVA_ASYNC(int, answer) {
    uva_lock_t lock = UVA_LOCK_INIT;
    uva_group_t group;
    int sum = 0;
    int values[2];
    UVA_CHECK(UVA_AWAIT(nothing()));
    UVA_CHECK(UVA_GATHER(values, doubled(4), doubled(5)));
    UVA_WITH(timeout, 1000) {
        sum += UVA_TRY(doubled(1)); /* 2 */
    }
    UVA_WITH(lock, &lock) {
        sum += values[0] + values[1]; /* 20 */
    }
    UVA_WITH(group, &group) {
        UVA_CHECK(UVA_GROUP_SPAWN(&group, doubled(7)));
    }
    UVA_FOR(int, number, up_to(4))
        sum += number; /* 30 */
    halves_t halves;
    UVA_CHECK(UVA_WAIT_FOR(split(12, "x"), 1000, &halves));
    struct doubled task = UVA_SPAWN(doubled(3));
    sum += halves.low + UVA_TRY(task); /* 42 */
    UVA_RETURN(sum);
}

int main(void) {
    int result = 0;
    int code = UVA_RUN(answer(), &result);
    if (code < 0 || result != 42) {
        fprintf(stderr, "%d and not 42, code %d\n", result, code);
        return 1;
    }
    printf("42, typed, by uvawait %s\n", uva_version());
    return 0;
}
