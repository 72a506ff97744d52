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

    /* While it runs. */
    uva_future_t *awaitables[MOST_AWAITABLES]; /* NULL: not there yet */
    uva_scope_t *scopes[MOST_OBJECTS];
    uva_group_t groups[MOST_OBJECTS];
    bool has_group[MOST_OBJECTS]; /* it has been opened */
    uva_semaphore_t semaphores[MOST_OBJECTS];
    bool silent; /* the comparison is over */
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

/* Runs operations from..to of the program. */
signal_t program_run_block(runner_t *self, size_t from, size_t to);

/* Makes the task of that number; body and its argument. */
int program_body(void *arg);
uva_task_options_t program_task(runner_t *runner);

/* The verb of that name; NULL if there is none. */
const verb_t *program_verb(const char *name);

/* A line of the log: moment, task, operation, what came of it. */
void program_log(const program_t *program, int64_t task, const char *event,
                 const char *result);

/* "17", "cancelled", "timeout", "refused", "pending", "-9003". */
const char *program_code(int64_t code, char ret_text[24]);

#endif
