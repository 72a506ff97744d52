/*
 * What: reading the programs of the differential test.
 *
 * How: a line is a word and numbers. A block's operation knows where its
 * "catch" and "end" stand, so that running one is a walk over an array.
 */
#include "program.h"

#include <stddef.h>
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
    int64_t numbers[MOST_OBJECTS] = {0};
    static const struct {
        const char *word;
        size_t count; /* where it stands; and one number for each */
        size_t each;
    } lists[] = {
        {"semaphores", offsetof(program_t, semaphore_count),
         offsetof(program_t, permits)},
        {"conditions", offsetof(program_t, condition_count),
         offsetof(program_t, lock_of)},
        {"queues", offsetof(program_t, queue_count),
         offsetof(program_t, queue_kinds)},
        {"barriers", offsetof(program_t, barrier_count),
         offsetof(program_t, parties)},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (strcmp(word, lists[i].word) != 0)
            continue;
        size_t *count = (size_t *)((char *)program + lists[i].count);
        size_t *each = (size_t *)((char *)program + lists[i].each);
        *count = read_numbers(program, rest, numbers, MOST_OBJECTS);
        for (size_t k = 0; k < *count; k++)
            each[k] = (size_t)numbers[k];
        return true;
    }
    static const struct {
        const char *word;
        size_t offset;
    } counts[] = {{"futures", offsetof(program_t, future_count)},
                  {"locks", offsetof(program_t, lock_count)},
                  {"events", offsetof(program_t, event_count)}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (strcmp(word, counts[i].word) != 0)
            continue;
        (void)read_numbers(program, rest, numbers, 1);
        *(size_t *)((char *)program + counts[i].offset) = (size_t)numbers[0];
        return true;
    }
    return false;
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
