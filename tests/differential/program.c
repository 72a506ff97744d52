/*
 * What: reading the programs of the differential test.
 *
 * How: a line is a word and numbers. A block's operation knows where its
 * "catch" and "end" stand, so that running one is a walk over an array.
 */
#include "program.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 32, LINE_BYTES = 512 };

static void refuse(const program_t *program, const char *line,
                   const char *why) {
    (void)fprintf(stderr, "program %s: %s: %s\n", program->name, why, line);
    exit(2);
}

/* The numbers of a line, after its first word. */
static size_t read_numbers(const program_t *program, char *text,
                           int64_t ret_numbers[], size_t capacity) {
    size_t count = 0;
    for (;;) {
        char *end = NULL;
        int64_t number = strtoll(text, &end, 10);
        if (end == text)
            return count;
        if (count == capacity)
            refuse(program, text, "too many numbers");
        ret_numbers[count++] = number;
        text = end;
    }
}

/* What stands before the first task. */
static bool read_setting(program_t *program, const char *word, char *rest) {
    int64_t numbers[MOST_OBJECTS];
    if (strcmp(word, "semaphores") == 0) {
        program->semaphore_count =
            read_numbers(program, rest, numbers, MOST_OBJECTS);
        for (size_t i = 0; i < program->semaphore_count; i++)
            program->permits[i] = (size_t)numbers[i];
        return true;
    }
    if (strcmp(word, "futures") != 0)
        return false;
    (void)read_numbers(program, rest, numbers, MOST_OBJECTS);
    program->future_count = (size_t)numbers[0];
    return true;
}

/* The blocks that are open while a task is read. */
typedef struct nesting {
    size_t open[MOST_DEPTH];
    size_t depth;
} nesting_t;

static void read_operation(program_t *program, const char *word, char *rest,
                           nesting_t *nesting) {
    if (program->task_count == 0 || program->operation_count == MOST_OPERATIONS)
        refuse(program, word, "no task, or too long");
    size_t at = program->operation_count++;
    body_t *task = &program->tasks[program->task_count - 1];
    task->to = program->operation_count;
    operation_t *operation = &program->operations[at];
    *operation = (operation_t){.number = (unsigned)(at - task->from + 1)};
    operation->verb = program_verb(word);
    if (operation->verb == NULL)
        refuse(program, word, "no such operation");
    operation->count =
        read_numbers(program, rest, operation->arguments, MOST_ARGUMENTS);
    if (operation->verb->opens_block) {
        if (nesting->depth == MOST_DEPTH)
            refuse(program, word, "nested too deep");
        nesting->open[nesting->depth++] = at;
        return;
    }
    bool is_catch = strcmp(word, "catch") == 0;
    if (!is_catch && strcmp(word, "end") != 0)
        return;
    if (nesting->depth == 0)
        refuse(program, word, "not in a block");
    operation_t *opened =
        &program->operations[nesting->open[nesting->depth - 1]];
    if (is_catch) {
        opened->middle = at;
        return;
    }
    opened->end = at;
    if (opened->middle == 0)
        opened->middle = at;
    nesting->depth--;
}

static void begin_task(program_t *program) {
    if (program->task_count == MOST_TASKS)
        refuse(program, "task", "too many");
    program->tasks[program->task_count++] = (body_t){
        .from = program->operation_count, .to = program->operation_count};
}

bool program_read(program_t *program, FILE *file) {
    char line[LINE_BYTES];
    char word[32];
    nesting_t nesting = {.depth = 0};
    memset(program, 0, sizeof *program);
    while (fgets(line, sizeof line, file) != NULL) {
        int length = 0;
        if (sscanf(line, "%31s%n", word, &length) != 1)
            continue;
        if (strcmp(word, "run") == 0)
            return true;
        if (strcmp(word, "program") == 0)
            (void)sscanf(line + length, "%31s", program->name);
        else if (strcmp(word, "task") == 0)
            begin_task(program);
        else if (!read_setting(program, word, line + length))
            read_operation(program, word, line + length, &nesting);
    }
    return false;
}
