#include <uvawait/async.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

UVA_ASYNC(void, task1) {
    unsigned wait = (unsigned)rand() % 4;
    UVA_CHECK(uva_sleep(wait * 1000));
    puts("task 1 finished");
    return 0;
}

UVA_ASYNC(void, task2) {
    unsigned wait = (unsigned)rand() % 4;
    UVA_CHECK(uva_sleep(wait * 1000));
    puts("task 2 finished");
    return 0;
}

UVA_ASYNC(void, task3) {
    unsigned wait = (unsigned)rand() % 4;
    UVA_CHECK(uva_sleep(wait * 1000));
    puts("task 3 finished");
    return 0;
}

UVA_ASYNC(void, async_main) {
    for (int x = 0; x < 2; x++) {
        UVA_CHECK(UVA_GATHER(NULL, task1(), task2(), task3()));
        uv_sleep(1000);
        puts("----------------------------");
    }
    return 0;
}

int main(void) {
    srand((unsigned)time(NULL));
    uint64_t t1 = uva_now_ms();
    int code = UVA_RUN(async_main());
    uint64_t t2 = uva_now_ms();
    printf("Total time elapsed: %.2f seconds\n", (double)(t2 - t1) / 1000);
    return code < 0;
}
