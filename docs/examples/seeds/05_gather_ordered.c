#include "repr.h"

UVA_ASYNC(text_t, fetch, (const char *, name), (uint64_t, delay_ms)) {
    UVA_CHECK(uva_sleep(delay_ms));
    UVA_RETURN(text("%s done", name));
}

UVA_ASYNC(void, async_main) {
    text_t results[2];
    UVA_CHECK(UVA_GATHER(results, fetch("a", 1000), fetch("b", 500)));
    print_texts(results, 2);
    return 0;
}

UVA_MAIN(async_main());
