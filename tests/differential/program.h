/*
 * program.h - a program of the differential test: what the text says, and what
 * the tasks share while it runs. README.md has the language.
 */
#ifndef DIFFERENTIAL_PROGRAM_H
#define DIFFERENTIAL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "uvawait.h"

enum {
    MOST_ARGUMENTS = 16,
    MOST_OPERATIONS = 2048,
    MOST_TASKS = 64,
    FIRST_FUTURE = 100, /* awaitables: tasks from 0, futures from here */
    MOST_AWAITABLES = 132,
    MOST_OBJECTS = 64 /* of scopes, groups, and each kind of sync object */
};

typedef struct program program_t;
typedef struct runner runner_t;
typedef struct operation operation_t;

/* How the operations of a block came to their end. */
typedef enum { GO_ON, RETURNED, FAILED, CANCELLED } signal_t;

/* What the name of an operation stands for; ops.c has the table. */
typedef struct verb {
    const char *name;
    signal_t (*run)(runner_t *self, const operation_t *operation);
    bool opens_block; /* up to its "end" */
} verb_t;

struct operation {
    const verb_t *verb;
    unsigned number; /* its place in its task, for the log */
    int64_t arguments[MOST_ARGUMENTS];
    size_t count;
    size_t middle; /* of a block: its "catch", or its end */
    size_t end;    /* of a block */
};

/* A task's operations: from..to. */
typedef struct body {
    size_t from;
    size_t to;
} body_t;

struct program {
    char name[32];
    operation_t operations[MOST_OPERATIONS];
    size_t operation_count;
    body_t tasks[MOST_TASKS];
    size_t task_count;
    size_t semaphore_count;
    size_t permits[MOST_OBJECTS];
    size_t future_count;
    size_t lock_count;
    size_t condition_count;
    size_t lock_of[MOST_OBJECTS]; /* that of each condition */
    size_t event_count;
    size_t queue_count;               /* twice as many as there are */
    size_t queue_kinds[MOST_OBJECTS]; /* kind and capacity of each */
    size_t barrier_count;
    size_t parties[MOST_OBJECTS];

    /* While it runs. */
    uva_future_t *awaitables[MOST_AWAITABLES]; /* NULL: not there yet */
    uva_scope_t *scopes[MOST_OBJECTS];
    uva_group_t groups[MOST_OBJECTS];
    bool has_group[MOST_OBJECTS]; /* it has been opened */
    int64_t group_of[MOST_TASKS]; /* and 1; 0: of a task in none */
    uint64_t end_ms[MOST_TASKS];  /* when its body ended */
    uva_semaphore_t semaphores[MOST_OBJECTS];
    uva_lock_t locks[MOST_OBJECTS];
    const runner_t *holders[MOST_OBJECTS]; /* of the locks, or NULL */
    uva_condition_t conditions[MOST_OBJECTS];
    uva_event_t events[MOST_OBJECTS];
    uva_queue_t queues[MOST_OBJECTS];
    uva_barrier_t barriers[MOST_OBJECTS];
    bool disturbed[MOST_OBJECTS]; /* barriers of which a waiter was cut */
    bool silent;                  /* the comparison is over */
};

/* A task that runs. */
struct runner {
    program_t *program;
    int64_t id;
    int64_t value; /* of RETURNED, or the code of FAILED */
};

/* Reads the next program; false at the end of the file. A text that is not a
 * program ends the process. */
bool program_read(program_t *program, FILE *file);

/* Runs operations from..to of the program; what is inside a block. */
signal_t program_run_block(runner_t *self, size_t from, size_t to);
signal_t program_run_inside(runner_t *self, const operation_t *operation);

/* Makes the task of that number; body and its argument. */
int program_body(void *arg);
uva_task_options_t program_task(runner_t *runner);

/* The verb of that name; NULL if there is none. Those of sync_ops.c end with
 * one without a name. */
const verb_t *program_verb(const char *name);
extern const verb_t program_sync_verbs[];

/* The locks and their like: made for a program, their state logged at its end,
 * and given back. */
void program_sync_init(program_t *program);
void program_sync_log(const program_t *program);
void program_sync_free(program_t *program);

/* A line of the log: moment, task, operation, what came of it. */
void program_log(const program_t *program, int64_t task, const char *event,
                 const char *result);

/* Every call that waits would fail now. The deadline of a scope is never 0 but
 * when it is cut, because programs do nothing at the moment 0. */
bool program_is_cut(void);

/* What came of an operation goes to the log. */
void program_note(const runner_t *self, const operation_t *operation,
                  const char *result);

/* After an operation: what it came to goes to the log, and a task that is cut
 * meets that here, by a call that fails and marks its scopes. */
signal_t program_over(const runner_t *self, const operation_t *operation,
                      int code, const void *value);

/* The same for what is not a plain code: while a task is cut, asyncio has
 * nothing more to tell, so nothing is compared but that it is. */
signal_t program_over_with(const runner_t *self, const operation_t *operation,
                           const char *result);

/* "17", "cancelled", "timeout", "refused", "pending", "-9003". */
const char *program_code(int64_t code, char ret_text[24]);

#endif
