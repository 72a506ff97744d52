#include "repr.h"

#include <ctype.h>

UVA_ASYNC(text_t, fetch_title, (const char *, slug)) {
    UVA_CHECK(uva_sleep(0));
    text_t title = text("%s", slug);
    for (char *at = title.chars; *at != '\0'; at++) {
        if (at == title.chars || at[-1] == ' ')
            *at = (char)toupper(*at);
        else if (*at == '-')
            *at = ' ';
    }
    UVA_RETURN(title);
}

UVA_ASYNC(void, async_main) {
    text_t title = UVA_TRY(fetch_title("async-await"));
    puts(title.chars);
    return 0;
}

UVA_ASYNC(void, async_main_2) {
    text_t titles[2];
    UVA_CHECK(UVA_GATHER(titles, fetch_title("json"), fetch_title("datetime")));
    print_texts(titles, 2);
    return 0;
}

struct session {
    bool is_open;
};

static int session_enter(struct session *self) {
    puts("open");
    self->is_open = true;
    return 0;
}

static int session_exit(struct session *self, int failure) {
    puts("close");
    self->is_open = false;
    return failure;
}

UVA_DEFINE_WITH(session, struct session *, session_enter, session_exit);

UVA_GENERATOR(const char *, stream) {
    const char *slugs[] = {"json", "datetime"};
    for (int i = 0; i < 2; i++) {
        UVA_CHECK(uva_sleep(0));
        UVA_YIELD(slugs[i]);
    }
    return 0;
}

UVA_ASYNC(void, driver) {
    struct session session;
    UVA_WITH(session, &session)
        UVA_FOR(const char *, slug, stream())
            puts(slug);
    return 0;
}

int main(void) {
    struct fetch_title coroutine = fetch_title("async-await");
    puts(coroutine.future == NULL ? "coroutine" : "task");

    return UVA_RUN(async_main()) < 0 || UVA_RUN(async_main_2()) < 0 ||
           UVA_RUN(driver()) < 0;
}
