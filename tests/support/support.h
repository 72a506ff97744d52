/*
 * support.h - what every test includes.
 *
 *     #include "support/support.h"
 *
 *     START_TEST(future_resolves_once) {
 *         CONFORMS("K-002");
 *         ...
 *         ck_assert_int_eq(code, 0);
 *     }
 *     END_TEST
 *
 *     SUITE("future", future_resolves_once, future_fails_once)
 *
 * SUITE defines main. Each case runs in a process of its own, with a limit of
 * 5 s (20 s under a sanitizer, valgrind or SUPPORT_SLOW=1; a "timeout:" in the
 * file's first line changes it, see cmake/tests.cmake). The program takes
 * --list, or the names of the cases to run:
 *
 *     ./test_future future_resolves_once
 *
 * After a case that came to its end, allocations, mappings and file descriptors
 * are counted: what the case left behind makes it fail.
 */
#ifndef SUPPORT_SUPPORT_H
#define SUPPORT_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <uv.h>

#include "support/faults.h"

/* ---- suites ------------------------------------------------------------- */

/* Defines main: runs the named cases, each in a fork of its own. */
#define SUITE(name, ...) SUPPORT__SUITE(name, true, __VA_ARGS__)

/* The same in one process, for what does not survive a fork. A case that
 * crashes takes the rest with it. */
#define SUITE_NOFORK(name, ...) SUPPORT__SUITE(name, false, __VA_ARGS__)

#ifndef SUPPORT_TIMEOUT
#define SUPPORT_TIMEOUT 0
#endif
#define SUPPORT__SUITE(name, fork, ...) \
    int main(int argc, char **argv) { \
        const TTest *const cases[] = {__VA_ARGS__}; \
        return support_main(name, fork, SUPPORT_TIMEOUT, cases, \
                            sizeof cases / sizeof cases[0], argc, argv); \
    }

int support_main(const char *suite, bool fork, int timeout_s,
                 const TTest *const cases[], size_t count, int argc,
                 char **argv);

/* Ends the case as passed, with the reason on standard output. */
#define SKIP(why) \
    do { \
        support_skip(why); \
        return; \
    } while (0)

/* Says which behaviours of tests/conformance.txt the case shows; the format of
 * the ids is checked. tests/conformance.sh collects them. */
#define CONFORMS(...) support_conforms((const char *const[]){__VA_ARGS__, NULL})

/* The case is allowed to leave allocations, mappings and descriptors behind. */
void support_expect_leaks(void);

/* True under a sanitizer, valgrind, an emulator, or SUPPORT_SLOW=1: a test with
 * a million rounds does fewer then. */
bool support_is_slow(void);

/* Runs fn(arg) in another thread, and waits for its end. */
void support_in_thread(void (*fn)(void *arg), void *arg);

void support_skip(const char *why);
void support_conforms(const char *const ids[]);

/* ---- order of events ---------------------------------------------------- */

/* Appends an event to the record, blank-separated. For the thread of the test
 * only. */
void record(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Compares the record with "a b c" and clears it. */
#define ck_expect_record(expected) \
    do { \
        char support_seen[SUPPORT_RECORD_BYTES]; \
        support_record_take(support_seen); \
        ck_assert_str_eq(support_seen, expected); \
    } while (0)

#define SUPPORT_RECORD_BYTES 16384
void support_record_take(char ret_text[SUPPORT_RECORD_BYTES]);

/* ---- reports ------------------------------------------------------------ */

/* For uva_options_t.report: keeps every text. Any thread. */
void support_report(void *arg, const char *text);
bool support_reports_contain(const char *part);
size_t support_report_count(void);
void support_reports_clear(void);
/* All texts so far, one a line; valid until the next call of this kind. */
const char *support_reports(void);

/* ---- death -------------------------------------------------------------- */

/* Runs fn(arg) in a fork of its own and tells whether it ended by the signal
 * (0: in any way but exit status 0) after writing `text` to standard error.
 * Under AddressSanitizer a signal may come as an exit status; both are taken
 * for it. On false, what it wrote is printed. */
bool support_dies(void (*fn)(void *arg), void *arg, int signal,
                  const char *text);

#endif
