#include <uvawait/async.h>

#include <stdio.h>

typedef struct result {
    int data;
} result_t;

UVA_ASYNC(result_t, fetch_data) {
    puts("Starting fetch...");
    UVA_CHECK(uva_sleep(1000));
    puts("Fetch complete!");
    UVA_RETURN((result_t){.data = 42});
}

UVA_ASYNC(void, async_main) {
    result_t result = UVA_TRY(fetch_data());
    printf("{'data': %d}\n", result.data);
    return 0;
}

UVA_MAIN(async_main());
