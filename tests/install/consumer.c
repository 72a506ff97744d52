/*
 * A program of somebody who installed uvawait and knows nothing else of it:
 * two tasks sleep side by side, and their sum is right.
 */
#include <stdint.h>
#include <stdio.h>
#include <uvawait.h>

static int doubled(void *arg) {
    intptr_t number = (intptr_t)arg;
    int code = uva_sleep(5);

    return code < 0 ? code : uva_return((void *)(number * 2));
}

static int sum(void *arg) {
    (void)arg;
    uva_future_t *both[] = {
        uva_spawn(doubled, (void *)(intptr_t)20),
        uva_spawn(doubled, (void *)(intptr_t)1),
    };
    void *values[2] = {NULL, NULL};
    int code = uva_gather(both, 2, values);

    if (code < 0) {
        return code;
    }
    return (int)((intptr_t)values[0] + (intptr_t)values[1]);
}

int main(void) {
    int result = uva_run(sum, NULL);

    if (result != 42) {
        fprintf(stderr, "the sum is %d, not 42\n", result);
        return 1;
    }
    printf("42, by uvawait %s\n", uva_version());
    return 0;
}
