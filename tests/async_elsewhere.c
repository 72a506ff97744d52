/*
 * What async_elsewhere.h declares. Built as C23, while its users are C11.
 */
#include "async_elsewhere.h"

#include <stdio.h>

/* As in the other file, which must not matter. */
UVA_ASYNC(int, same_name) {
    UVA_RETURN(1);
}

UVA_ASYNC_DEFINE(quote_t, quote_for, (const char *, item), (int, price)) {
    quote_t quote = {.price = price * UVA_TRY(same_name())};
    (void)snprintf(quote.item, sizeof quote.item, "%s", item);
    UVA_CHECK(uva_sleep(10));
    UVA_RETURN(quote);
}

UVA_ASYNC_DEFINE(void, fail_elsewhere) {
    UVA_CHECK(uva_sleep(1));
    return uva_fail(UV_ENOENT, "not in %s", "stock");
}

UVA_GENERATOR_DEFINE(quote_t, quotes, (int, count)) {
    for (int i = 0; i < count; i++)
        UVA_YIELD(UVA_TRY(quote_for("item", i)));
    return 0;
}

struct quote_for coroutine_from_elsewhere(void) {
    return quote_for("kept", 5);
}

struct quote_for task_from_elsewhere(void) {
    return UVA_SPAWN(quote_for("spawned", 6));
}
