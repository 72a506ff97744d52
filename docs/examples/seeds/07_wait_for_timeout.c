#include <uvawait/async.h>

#include <stdio.h>

UVA_ASYNC(const char *, slow) {
    UVA_CHECK(uva_sleep(5000));
    UVA_RETURN("finished");
}

UVA_ASYNC(void, async_main) {
    const char *result;
    int code = UVA_WAIT_FOR(slow(), 1000, &result);
    if (code == UV_ETIMEDOUT)
        result = "timed out";
    else
        UVA_CHECK(code);
    puts(result);
    return 0;
}

UVA_MAIN(async_main());
