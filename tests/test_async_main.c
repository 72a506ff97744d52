/* labels: valgrind; timeout: 30 */
/*
 * UVA_MAIN(): the status of a program, and what it says of its failure.
 */
#include "async_fixture.h"

#include <stdio.h>
#include <unistd.h>

static const char *said;

UVA_ASYNC(void, greet, (int, argc), (char **, argv)) {
    said = argv[argc - 1];
    return uva_sleep(1);
}

UVA_ASYNC(void, fails, (int, code), (const char *, reason)) {
    UVA_CHECK(uva_sleep(1));
    if (reason != NULL)
        return uva_fail(code, "%s", reason);
    return code;
}

/* Each its main(), by another name. */
int main_that_greets(int argc, char *argv[]);
int main_that_says_why(int argc, char *argv[]);
int main_that_fails(int argc, char *argv[]);

#define main main_that_greets
UVA_MAIN(greet(argc, argv));
#undef main

#define main main_that_says_why
UVA_MAIN(fails(UV_EIO, "no luck"));
enum { FAILS_LINE = __LINE__ - 1 };
#undef main

#define main main_that_fails
UVA_MAIN(fails(UV_ETIMEDOUT, NULL));
#undef main

/* What of main() comes on stderr; its status goes to *ret_status. */
static const char *stderr_of(int (*program)(int argc, char *argv[]),
                             int *ret_status) {
    static char text[512];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    int before = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    static char name[] = "program", argument[] = "hello";
    *ret_status = program(2, (char *[]){name, argument, NULL});
    ck_assert_int_ge(dup2(before, STDERR_FILENO), 0);
    ck_assert_int_eq(close(before), 0);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

START_TEST(async_main_passes_arguments) {
    int status = -1;
    ck_assert_str_eq(stderr_of(main_that_greets, &status), "");
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(said, "hello");
}
END_TEST

START_TEST(async_main_says_what_failed_and_why) {
    int status = -1;
    char wanted[512];
    (void)snprintf(wanted, sizeof wanted,
                   "uvawait: fails() failed (run at %s:%d): i/o error (-5): no "
                   "luck\n",
                   __FILE__, FAILS_LINE);
    ck_assert_str_eq(stderr_of(main_that_says_why, &status), wanted);
    ck_assert_int_eq(status, 1);
}
END_TEST

START_TEST(async_main_fails_without_a_message) {
    int status = -1;
    const char *text = stderr_of(main_that_fails, &status);
    ck_assert_int_eq(status, 1);
    const char *end = strstr(text, ": connection timed out (-110)\n");
    ck_assert_msg(end != NULL, "%s", text);
    ck_assert(strchr(end, '\n')[1] == '\0');
}
END_TEST

START_TEST(async_main_fails_where_it_cannot_start) {
    int status = -1;
    faults_fail_with(FAULT_UV_LOOP_INIT, 1, UV_EMFILE);
    const char *text = stderr_of(main_that_fails, &status);
    ck_assert_int_eq(status, 1);
    ck_assert_msg(strstr(text, "fails() failed") != NULL &&
                      strstr(text, "too many open files") != NULL,
                  "%s", text);
}
END_TEST

UVA_ASYNC(void, who) {
    ck_assert_str_eq(uva_name(uva_current()), "who");
    return uva_sleep(1);
}

/* So that reports and dumps say more than "main". */
START_TEST(async_main_task_has_the_name_of_its_function) {
    ck_assert_int_eq(UVA_RUN(who()), 0);
}
END_TEST

SUITE("async_main", async_main_passes_arguments,
      async_main_task_has_the_name_of_its_function,
      async_main_says_what_failed_and_why, async_main_fails_without_a_message,
      async_main_fails_where_it_cannot_start)
