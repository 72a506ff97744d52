/*
 * Async functions that a header declares and another file defines.
 */
#include "async_elsewhere.h"
#include "support/program.h"

#include <string.h>

/* As in the other file, which must not matter. */
UVA_ASYNC(int, same_name) {
    UVA_RETURN(2);
}

static int header_main(void *arg) {
    (void)arg;
    quote_t quote = UVA_TRY(quote_for("direct", 4));
    ck_assert_str_eq(quote.item, "direct");
    ck_assert_int_eq(quote.price * UVA_TRY(same_name()), 8);
    quote = UVA_TRY(coroutine_from_elsewhere());
    ck_assert_str_eq(quote.item, "kept");
    quote = UVA_TRY(task_from_elsewhere());
    ck_assert_str_eq(quote.item, "spawned");
    ck_assert_int_eq(UVA_AWAIT(fail_elsewhere()), UV_ENOENT);
    ck_assert_str_eq(uva_last_message(), "not in stock");
    struct quote_for task = UVA_SPAWN(quote_for("here", 7));
    ck_assert_int_eq(strncmp(uva_name(task.future), "quote_for-", 10), 0);
    quote_t all[3];
    ck_assert_int_eq(UVA_GATHER(all, task, coroutine_from_elsewhere(),
                                task_from_elsewhere()),
                     0);
    ck_assert_int_eq(all[0].price + all[1].price + all[2].price, 18);
    int sum = 0;
    UVA_FOR(quote_t, each, quotes(4)) {
        ck_assert_str_eq(each.item, "item");
        sum += each.price;
    }
    ck_assert_int_eq(sum, 6);
    ck_assert_uint_eq(uva_now_ms(), 3 * 10 + 1 + 10 + 4 * 10);
    return 0;
}

START_TEST(async_from_a_header) {
    program_expect(header_main);
}
END_TEST

SUITE("async_header", async_from_a_header)
