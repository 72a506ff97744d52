#include "repr.h"

UVA_GENERATOR(int, async_fibonacci, (int, n)) {
    for (int i = 0, a = 0, b = 1; i < n; i++) {
        UVA_YIELD(a);
        b += a;
        a = b - a;
        UVA_CHECK(uva_sleep(50));
    }
    return 0;
}

UVA_ASYNC(void, async_main) {
    int fibs[10];
    size_t count = 0;
    UVA_FOR(int, num, async_fibonacci(10))
        fibs[count++] = num;
    printf("First 10 Fibonacci numbers: ");
    print_ints(fibs, count);
    return 0;
}

UVA_MAIN(async_main());
