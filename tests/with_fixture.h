/*
 * with_fixture.h - a kind of block that records, and the ways out of one.
 */
#ifndef WITH_FIXTURE_H
#define WITH_FIXTURE_H

#include "async_fixture.h"

/* Enters and exits with these codes, and records both. */
typedef struct session {
    const char *name;
    int enter_code;
    int exit_code;
    uint64_t exit_ms;
    int failure; /* that the exit was given */
    int slept;   /* how its wait ended */
} session_t;

static inline int session_enter(session_t *self) {
    record("+%s", self->name);
    return self->enter_code < 0
               ? uva_fail(self->enter_code, "%s is closed", self->name)
               : self->enter_code;
}

static inline int session_exit(session_t *self, int failure) {
    self->failure = failure;
    if (self->exit_ms > 0)
        self->slept = uva_sleep(self->exit_ms);
    record("-%s", self->name);
    return self->slept < 0 ? self->slept : self->exit_code;
}

UVA_DEFINE_WITH(session, session_t *, session_enter, session_exit);

typedef enum way {
    END,
    BREAK,
    CONTINUE,
    RETURN,
    GOTO,
    TRY,
    CHECK,
    CUT,
    WAYS
} way_t;

/* What is left in each of the ways; CUT expects to be cancelled. */
#define LEAVE(way) \
    record("in"); \
    if ((way) == BREAK) \
        break; \
    if ((way) == CONTINUE) \
        continue; \
    if ((way) == RETURN) \
        return 7; \
    if ((way) == GOTO) \
        goto out; \
    if ((way) == TRY) \
        UVA_TRY(breaks(-5, 1)); \
    if ((way) == CHECK) \
        UVA_CHECK(-6); \
    if ((way) == CUT) \
        UVA_CHECK(uva_sleep(1000)); \
    record("end")

#endif
