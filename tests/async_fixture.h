/*
 * async_fixture.h - async functions that the tests of the typed layer share.
 */
#ifndef ASYNC_FIXTURE_H
#define ASYNC_FIXTURE_H

#include "support/program.h"

#include <string.h>
#include <uvawait/async.h>

/* A value that fits no register. */
typedef struct big {
    int number;
    char bytes[196];
} big_t;

static inline big_t big_of(int number) {
    big_t big = {.number = number};
    memset(big.bytes, number, sizeof big.bytes);
    return big;
}

static inline bool big_is(const big_t *big, int number) {
    big_t other = big_of(number);
    return memcmp(big, &other, sizeof other) == 0;
}

/* The sum, after so many ms; 0 ms: at once, without waiting. */
UVA_ASYNC(int, add, (int, x), (int, y), (uint64_t, ms)) {
    if (ms > 0)
        UVA_CHECK(uva_sleep(ms));
    UVA_RETURN(x + y);
}

UVA_ASYNC(big_t, make_big, (int, number), (uint64_t, ms)) {
    UVA_CHECK(uva_sleep(ms));
    UVA_RETURN(big_of(number));
}

/* Fails with the code after so many ms, and says why. */
UVA_ASYNC(int, breaks, (int, code), (uint64_t, ms)) {
    UVA_CHECK(uva_sleep(ms));
    return uva_fail(code, "no %d", code);
}

/* Records its name, with a "!" when it was cut. */
UVA_ASYNC(void, note, (const char *, name), (uint64_t, ms)) {
    int code = uva_sleep(ms);
    record("%s%s", name, code < 0 ? "!" : "");
    return code;
}

/* As note(), with the time as its value. */
UVA_ASYNC(int, timed_note, (const char *, name), (int, ms)) {
    UVA_TRY(note(name, (uint64_t)ms));
    UVA_RETURN(ms);
}

#endif
