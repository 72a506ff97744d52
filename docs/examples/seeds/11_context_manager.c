#include <uvawait/async.h>

#include <stdio.h>

struct async_connection {
    bool is_open;
};

static int async_connection_enter(struct async_connection *self) {
    puts("Connecting...");
    UVA_CHECK(uva_sleep(100));
    self->is_open = true;
    return 0;
}

static int async_connection_exit(struct async_connection *self, int failure) {
    puts("Disconnecting...");
    self->is_open = false;
    UVA_CHECK(uva_sleep(100));
    return failure;
}

UVA_DEFINE_WITH(async_connection, struct async_connection *,
                async_connection_enter, async_connection_exit);

UVA_ASYNC(void, async_main) {
    struct async_connection conn;
    UVA_WITH(async_connection, &conn)
        puts("Using connection");
    return 0;
}

UVA_MAIN(async_main());
