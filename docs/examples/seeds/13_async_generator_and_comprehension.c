#include "repr.h"

#include <stdlib.h>

UVA_GENERATOR(int, async_counter, (int, stop)) {
    for (int i = 0; i < stop; i++) {
        UVA_CHECK(uva_sleep(100));
        UVA_YIELD(i);
    }
    return 0;
}

UVA_ASYNC(int, fetch, (int, n)) {
    UVA_CHECK(uva_sleep(0));
    UVA_RETURN(n * 10);
}

UVA_GENERATOR(int, gen) {
    UVA_FOR(int, n, async_counter(5))
        UVA_YIELD(UVA_TRY(fetch(n)));
    return 0;
}

UVA_ASYNC(void, async_main) {
    UVA_FOR(int, num, async_counter(5))
        printf("%d\n", num);

    int *items;
    size_t count;
    UVA_CHECK(UVA_COLLECT(&items, &count, async_counter(5)));
    print_ints(items, count);
    free(items);

    UVA_CHECK(UVA_COLLECT_MAP(&items, &count, UVA_TRY(fetch(n)), int, n,
                              async_counter(5)));
    print_ints(items, count);
    free(items);

    UVA_FOR(int, value, gen())
        printf("%d\n", value);
    return 0;
}

UVA_MAIN(async_main());
