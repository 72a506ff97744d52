#include "repr.h"

typedef struct texts {
    text_t of[3];
} texts_t;

typedef struct numbers {
    int of[3];
} numbers_t;

typedef struct outcome {
    const char *status;
    int value;
} outcome_t;

static const char line[] =
    "======================================================================";

static const char *synchronous_function(void) {
    puts("Starting synchronous function");
    uv_sleep(1000);
    puts("Finished synchronous function");
    return "Sync result";
}

UVA_ASYNC(const char *, asynchronous_function) {
    puts("Starting asynchronous function");
    UVA_CHECK(uva_sleep(1000));
    puts("Finished asynchronous function");
    UVA_RETURN("Async result");
}

UVA_ASYNC(const char *, simple_async_example) {
    puts("Step 1: Before await");
    UVA_CHECK(uva_sleep(1000));
    puts("Step 2: After await");
    UVA_RETURN("Complete!");
}

UVA_ASYNC(const char *, calling_async_functions) {
    puts("\n--- Calling async functions ---");
    struct asynchronous_function coro = asynchronous_function();
    printf("Type: <class '%s'>\n", coro.future == NULL ? "coroutine" : "Task");
    const char *result = UVA_TRY(asynchronous_function());
    printf("With await: %s\n", result);
    UVA_RETURN(result);
}

UVA_ASYNC(text_t, fetch_data, (int, data_id), (uint64_t, delay_ms)) {
    printf("  Fetching data %d...\n", data_id);
    UVA_CHECK(uva_sleep(delay_ms));
    printf("  Data %d retrieved!\n", data_id);
    UVA_RETURN(text("Data_%d", data_id));
}

UVA_ASYNC(texts_t, sequential_execution) {
    puts("\n--- Sequential Execution ---");
    uint64_t start_time = uva_now_ms();
    text_t data1 = UVA_TRY(fetch_data(1, 1000));
    text_t data2 = UVA_TRY(fetch_data(2, 1000));
    text_t data3 = UVA_TRY(fetch_data(3, 1000));
    double elapsed = (double)(uva_now_ms() - start_time) / 1000;
    printf("Sequential execution took %.2f seconds\n", elapsed);
    printf("Retrieved: %s, %s, %s\n", data1.chars, data2.chars, data3.chars);
    UVA_RETURN((texts_t){{data1, data2, data3}});
}

UVA_ASYNC(numbers_t, demonstrate_await_behavior) {
    puts("\n--- Await Behavior ---");
    puts("Before first await");
    UVA_CHECK(uva_sleep(500));
    puts("Between awaits");
    UVA_CHECK(uva_sleep(500));
    puts("After second await");
    numbers_t results;
    for (int i = 0; i < 3; i++) {
        printf("  Iteration %d\n", i + 1);
        UVA_CHECK(uva_sleep(100));
        results.of[i] = i;
    }
    UVA_RETURN(results);
}

UVA_ASYNC(outcome_t, async_function_with_return) {
    UVA_CHECK(uva_sleep(100));
    UVA_RETURN((outcome_t){.status = "success", .value = 42});
}

UVA_ASYNC(void, async_function_with_error) {
    UVA_CHECK(uva_sleep(100));
    return uva_fail(UV_EINVAL, "Something went wrong!");
}

UVA_ASYNC(void, handling_returns_and_errors) {
    puts("\n--- Returns and Errors ---");
    outcome_t result = UVA_TRY(async_function_with_return());
    printf("Received result: {'status': '%s', 'value': %d}\n", result.status,
           result.value);
    int code = UVA_AWAIT(async_function_with_error());
    if (code == UV_EINVAL)
        printf("Caught exception: %s\n", uva_last_message());
    else
        UVA_CHECK(code);
    return 0;
}

UVA_ASYNC(void, common_mistakes) {
    puts("\n--- Common Mistakes ---");
    puts("Mistake 1: Forgetting await");
    struct simple_async_example coro = simple_async_example();
    (void)coro;
    puts("  Correct way with await:");
    UVA_CHECK(uva_sleep(100));
    puts("  Sleep completed!");
    puts("Mistake 2: Using time.sleep (blocking)");
    UVA_CHECK(uva_sleep(100));
    puts("  asyncio.sleep completed!");
    puts("Mistake 3: Can't await regular functions");
    const char *regular_result = synchronous_function();
    (void)regular_result;
    return 0;
}

UVA_ASYNC(void, async_main) {
    puts(line);
    puts("ASYNC/AWAIT BASICS TUTORIAL");
    puts(line);
    const char *result = UVA_TRY(simple_async_example());
    printf("Result: %s\n", result);
    UVA_TRY(calling_async_functions());
    UVA_TRY(sequential_execution());
    numbers_t results = UVA_TRY(demonstrate_await_behavior());
    printf("[%d, %d, %d]\n", results.of[0], results.of[1], results.of[2]);
    UVA_TRY(handling_returns_and_errors());
    UVA_TRY(common_mistakes());
    printf("\n%s\n", line);
    puts("Tutorial complete!");
    puts(line);
    return 0;
}

UVA_MAIN(async_main());
