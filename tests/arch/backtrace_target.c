/*
 * What backtrace.sh looks into: two tasks whose bodies call a -> b -> c, and c
 * parks, so that there is a stack to see through before, in and after the
 * switch. Named apart from everything in libc.
 */
#include <uvawait.h>

#include <stdio.h>

#define NOT_INLINED __attribute__((noinline))

static volatile int depth;

NOT_INLINED int bt_c(int rounds) {
    int code = 0;
    for (int i = 0; i < rounds && code == 0; i++) {
        code = uva_yield();
        depth++;
    }
    code = code == 0 ? uva_sleep(1) : code;
    return code + (depth < 0);
}

NOT_INLINED int bt_b(int rounds) {
    int code = bt_c(rounds);
    depth++; /* so that no call becomes a jump */
    return code;
}

NOT_INLINED int bt_a(int rounds) {
    int code = bt_b(rounds);
    depth++;
    return code;
}

static int bt_body(void *arg) {
    (void)arg;
    int code = bt_a(3);
    depth++;
    return code;
}

static int bt_main(void *arg) {
    (void)arg;
    uva_future_t *both[] = {uva_spawn(bt_body, NULL), uva_spawn(bt_body, NULL)};
    return uva_gather(both, 2, NULL);
}

int main(void) {
    int code = uva_run(bt_main, NULL);
    printf("%d\n", code);
    return code != 0;
}
