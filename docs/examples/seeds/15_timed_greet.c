#include "repr.h"

UVA_ASYNC(text_t, timed_greet, (const char *, name), (uint64_t, delay_ms)) {
    UVA_CHECK(uva_sleep(delay_ms));
    UVA_RETURN(text("Hello, %s", name));
}

UVA_ASYNC(void, async_main) {
    struct timed_greet greets[] = {timed_greet("Alice", 300),
                                   timed_greet("Bob", 500),
                                   timed_greet("Carol", 200)};
    uint64_t start = uva_now_ms();
    for (int i = 0; i < 3; i++)
        UVA_TRY(greets[i]);
    uint64_t seq_time = uva_now_ms() - start;

    start = uva_now_ms();
    text_t results[3];
    UVA_CHECK(UVA_GATHER_ARRAY(results, greets, 3));
    uint64_t con_time = uva_now_ms() - start;

    printf("Sequential: %.2fs\n", (double)seq_time / 1000);
    printf("Concurrent: %.2fs\n", (double)con_time / 1000);
    printf("Results: ");
    print_texts(results, 3);
    return 0;
}

UVA_MAIN(async_main());
