#include "repr.h"

UVA_ASYNC(text_t, fetch, (const char *, url)) {
    UVA_CHECK(uva_sleep(1000));
    UVA_RETURN(text("Data from %s", url));
}

UVA_ASYNC(void, sequential, (text_t *, results)) {
    results[0] = UVA_TRY(fetch("url1"));
    results[1] = UVA_TRY(fetch("url2"));
    results[2] = UVA_TRY(fetch("url3"));
    return 0;
}

UVA_ASYNC(void, concurrent, (text_t *, results)) {
    struct fetch tasks[] = {UVA_SPAWN(fetch("url1")), UVA_SPAWN(fetch("url2")),
                            UVA_SPAWN(fetch("url3"))};
    return UVA_GATHER_ARRAY(results, tasks, 3);
}

UVA_ASYNC(void, gathered, (text_t *, results)) {
    return UVA_GATHER(results, fetch("url1"), fetch("url2"), fetch("url3"));
}

/* A macro, because run.__name__ is #run. */
#define TIMED(run) \
    start = uva_now_ms(); \
    if (UVA_RUN(run(results)) < 0) \
        return 1; \
    printf("%s: %.0f s ", #run, (double)(uva_now_ms() - start) / 1000); \
    print_texts(results, 3)

int main(void) {
    text_t results[3];
    uint64_t start;
    TIMED(sequential);
    TIMED(concurrent);
    TIMED(gathered);
    return 0;
}
