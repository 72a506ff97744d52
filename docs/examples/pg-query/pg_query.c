/*
 * Runs a statement once for each line of standard input, several at a time:
 *
 *     pg-query [-n CONNECTIONS] [-t MS] [-w MS] CONNINFO STATEMENT
 *
 *     -n CONNECTIONS  so many at once (4)
 *     -t MS           a statement may take so long, then it is cancelled on
 *                     the server (10000)
 *     -w MS           how long to wait for a server that is gone (10000)
 *
 * The fields of a line, which tabs separate, are the parameters $1, $2 ...; \N
 * is NULL, and an empty line has none. Each row of a result is printed behind
 * the number of its line; of a failure, what was wrong. The order is that in
 * which they come to an end:
 *
 *     printf '2\n3\n' | pg-query 'host=/run/postgresql' 'select $1::int * 10'
 *     1       20
 *     2       30
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "pg_pool.h"

enum { LINE_BYTES = 16384, PARAMETERS_MAX = 32 };

typedef struct program {
    const char *statement;
    uint64_t timeout_ms;
    pg_pool_t pool;
    uva_semaphore_t room; /* for lines that are read and not done */
    uva_group_t group;
    size_t lines;
    size_t failed;
} program_t;

/* One line; the task has a copy. */
typedef struct job {
    program_t *program;
    size_t number;
    char line[LINE_BYTES];
} job_t;

/* ---- one line ----------------------------------------------------------- */

/* Cuts the line into parameters: how many, or UV_E2BIG. */
static int split(char *line, const char *parameters[PARAMETERS_MAX]) {
    int count = 0;

    if (line[0] == '\0')
        return 0;
    for (char *field; (field = strsep(&line, "\t")) != NULL; count++) {
        if (count == PARAMETERS_MAX)
            return UV_E2BIG;
        parameters[count] = strcmp(field, "\\N") == 0 ? NULL : field;
    }
    return count;
}

static void print_rows(size_t number, const PGresult *result) {
    for (int row = 0; row < PQntuples(result); row++) {
        printf("%zu", number);
        for (int column = 0; column < PQnfields(result); column++)
            printf("\t%s", PQgetisnull(result, row, column)
                               ? "\\N"
                               : PQgetvalue(result, row, column));
        putchar('\n');
    }
    fflush(stdout);
}

static int query_in_time(const job_t *job, PGconn *connection, int count,
                         const char *const parameters[], char why[PG_WHY_BYTES],
                         PGresult **ret_result) {
    uva_scope_t scope;

    uva_scope_open(&scope, job->program->timeout_ms, 0);
    int code = pg_query(connection, job->program->statement, count, parameters,
                        why, ret_result);
    int cut = uva_scope_close(&scope);
    if (code != UV_ECANCELED || cut == 0)
        return code;
    uv_strerror_r(cut, why, PG_WHY_BYTES);
    return cut;
}

static int run_statement(job_t *job, char why[PG_WHY_BYTES],
                         PGresult **ret_result) {
    const char *parameters[PARAMETERS_MAX];
    pg_pool_t *pool = &job->program->pool;
    PGconn *connection;

    int count = split(job->line, parameters);
    if (count < 0) {
        uv_strerror_r(count, why, PG_WHY_BYTES);
        return count;
    }
    int code = pg_pool_take(pool, why, &connection);
    if (code < 0)
        return code;
    code = query_in_time(job, connection, count, parameters, why, ret_result);
    pg_pool_give(pool, connection);
    return code;
}

static int run_line(void *arg) {
    job_t *job = arg;
    program_t *program = job->program;
    char why[PG_WHY_BYTES] = "";
    PGresult *result = NULL;

    int code = run_statement(job, why, &result);
    if (code == 0) {
        print_rows(job->number, result);
        PQclear(result);
    } else {
        printf("%zu\tfailed: %s\n", job->number, why);
        fflush(stdout);
        program->failed++;
    }
    uva_semaphore_release(&program->room);
    return 0;
}

/* ---- all lines ---------------------------------------------------------- */

/* Reads a line and has a task run it: 0, or UV_EOF, or another code. */
static int next_line(program_t *program, uva_stream_t *input, job_t *job) {
    int code = uva_semaphore_acquire(&program->room);
    if (code < 0)
        return code;
    ssize_t length = uva_readline(input, job->line, sizeof(job->line));
    if (length < 0)
        return (int)length;
    job->program = program;
    job->number = ++program->lines;
    uva_task_options_t options = {
        .copy = job, .copy_bytes = offsetof(job_t, line) + (size_t)length + 1};
    return uva_group_spawn_with(&program->group, &options, run_line, NULL,
                                NULL);
}

static int run_lines(program_t *program) {
    uva_stream_t *input;
    job_t *job = malloc(sizeof(*job));
    int code = job != NULL ? input_open(&input) : UV_ENOMEM;

    if (code == 0) {
        uva_group_open(&program->group);
        while (code == 0)
            code = next_line(program, input, job);
        int end = uva_group_close(&program->group);
        if (code == UV_EOF || code == UV_EPERM)
            code = end;
        uva_stream_close(input);
    }
    free(job);
    return code;
}

static int run_program(void *arg) {
    program_t *program = arg;
    int code = run_lines(program);

    fprintf(stderr, "%zu statements, %zu failed, %zu connections\n",
            program->lines, program->failed, program->pool.opened);
    pg_pool_close(&program->pool);
    return code < 0 ? code : program->failed > 0;
}

/* ---- the command line --------------------------------------------------- */

static int usage(const char *program) {
    fprintf(stderr,
            "usage: %s [-n CONNECTIONS] [-t MS] [-w MS] CONNINFO STATEMENT\n",
            program);
    return 2;
}

int main(int argc, char **argv) {
    program_t program = {.timeout_ms = 10000};
    uint64_t patience_ms = 10000;
    size_t size = 4;
    int option;

    while ((option = getopt(argc, argv, "n:t:w:")) != -1) {
        if (option == 'n')
            size = strtoul(optarg, NULL, 10);
        else if (option == 't')
            program.timeout_ms = strtoull(optarg, NULL, 10);
        else if (option == 'w')
            patience_ms = strtoull(optarg, NULL, 10);
        else
            return usage(argv[0]);
    }
    if (argc - optind != 2 || size == 0)
        return usage(argv[0]);
    program.statement = argv[optind + 1];
    pg_pool_init(&program.pool, argv[optind], size, patience_ms);
    uva_semaphore_init(&program.room, 4 * size);
    int code = uva_run_with(&(uva_options_t){.handle_signals = true},
                            run_program, &program);
    if (code < 0)
        fprintf(stderr, "%s: %s\n", argv[0], uv_strerror(code));
    return code == UV_EINTR ? 130 : code != 0;
}
