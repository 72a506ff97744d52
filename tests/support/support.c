/*
 * support.c - runs a suite's cases under check and looks after each.
 *
 * Every case goes to check as the same function, run_case, with the case's
 * index: so what is counted before and after it stands in one place, and holds
 * in fork and in no-fork mode alike. A case that fails leaves run_case by exit
 * or longjmp, and is not counted: its leaks are no news.
 *
 * Nothing here allocates, so that the counts are the library's and the test's.
 */
#include "support/support.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef UVA__HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A case must stay below this many open descriptors for the count to hold. */
#define MAX_FDS 4096

static const TTest *const *suite_cases; /* what SUITE named */
static bool leaks_expected;             /* support_expect_leaks was called */

bool support_is_slow(void) {
    const char *slow = getenv("SUPPORT_SLOW");

#ifdef UVA__HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND) {
        return true;
    }
#endif
    return SANITIZED || (slow != NULL && *slow != '\0' && *slow != '0');
}

void support_expect_leaks(void) {
    leaks_expected = true;
}

void support_in_thread(void (*fn)(void *arg), void *arg) {
    uv_thread_t thread;
    ck_assert_int_eq(uv_thread_create(&thread, fn, arg), 0);
    ck_assert_int_eq(uv_thread_join(&thread), 0);
}

void support_skip(const char *why) {
    printf("skipped: %s\n", why);
    fflush(stdout);
}

void support_conforms(const char *const ids[]) {
    for (size_t i = 0; ids[i] != NULL; i++) {
        const char *id = ids[i];
        bool good = strlen(id) == 5 && id[0] >= 'A' && id[0] <= 'Z' &&
                    id[1] == '-' && strspn(id + 2, "0123456789") == 3;
        ck_assert_msg(good, "CONFORMS(\"%s\"): an id is like K-031", id);
    }
}

/* ---- one case ----------------------------------------------------------- */

/* Marks every open descriptor in `open_fds`. */
static void list_fds(bool open_fds[MAX_FDS]) {
    memset(open_fds, 0, MAX_FDS * sizeof *open_fds);
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        long fd = strtol(entry->d_name, NULL, 10);
        bool counts = entry->d_name[0] != '.' && fd != dirfd(directory);
        if (counts && fd >= 0 && fd < MAX_FDS) {
            open_fds[fd] = true;
        }
    }
    closedir(directory);
}

/* The first descriptor that is open now and was not before; -1 if none, else
 * its target is put into ret_target. */
static int leaked_fd(const bool before[MAX_FDS], char ret_target[PATH_MAX]) {
    static bool now[MAX_FDS];
    char link[64];

    list_fds(now);
    for (int fd = 0; fd < MAX_FDS; fd++) {
        if (now[fd] && !before[fd]) {
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(link, ret_target, PATH_MAX - 1);
            ret_target[length < 0 ? 0 : length] = '\0';
            return fd;
        }
    }
    return -1;
}

/* libuv opens its signal pipe with the first loop and keeps it for ever. */
static void warm_up(void) {
    uv_loop_t loop;

    if (uv_loop_init(&loop) == 0) {
        uv_loop_close(&loop);
    }
}

static void run_case(int index) {
    static bool fds[MAX_FDS];
    char target[PATH_MAX];

    warm_up();
    leaks_expected = false;
    support_reports_clear();
    list_fds(fds);
    long blocks = faults_live_allocations();
    long bytes = faults_live_mappings();

    suite_cases[index]->fn(0);

    faults_clear();
    if (leaks_expected) {
        return;
    }
    blocks = faults_live_allocations() - blocks;
    bytes = faults_live_mappings() - bytes;
    int fd = leaked_fd(fds, target);
    ck_assert_msg(blocks == 0, "left behind: %ld allocations", blocks);
    ck_assert_msg(bytes == 0, "left behind: %ld bytes of mappings", bytes);
    ck_assert_msg(fd < 0, "left behind: descriptor %d (%s)", fd, target);
}

/* ---- suites ------------------------------------------------------------- */

static bool is_wanted(const char *name, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc <= 1;
}

/* The first argument that names no case; NULL if all do. */
static const char *unknown_name(const TTest *const cases[], size_t count,
                                int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        bool known = false;
        for (size_t j = 0; j < count; j++) {
            known = known || strcmp(argv[i], cases[j]->name) == 0;
        }
        if (!known) {
            return argv[i];
        }
    }
    return NULL;
}

static int list_cases(const TTest *const cases[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        puts(cases[i]->name);
    }
    return EXIT_SUCCESS;
}

int support_main(const char *suite, bool fork, int timeout_s,
                 const TTest *const cases[], size_t count, int argc,
                 char **argv) {
    static TTest runners[1024];

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        return list_cases(cases, count);
    }
    const char *unknown = unknown_name(cases, count, argc, argv);
    if (unknown != NULL || count > sizeof runners / sizeof runners[0]) {
        fprintf(stderr, "%s: no case '%s'; --list lists them\n", suite,
                unknown != NULL ? unknown : "(too many)");
        return 2;
    }
    suite_cases = cases;
    if (timeout_s == 0) {
        timeout_s = 5;
    }
    if (support_is_slow()) {
        timeout_s *= 4;
    }

    Suite *all = suite_create(suite);
    TCase *tcase = tcase_create(suite);
    tcase_set_timeout(tcase, timeout_s);
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(cases[i]->name, argc, argv)) {
            runners[i] = *cases[i];
            runners[i].fn = run_case;
            _tcase_add_test(tcase, &runners[i], 0, 0, (int)i, (int)i + 1);
        }
    }
    suite_add_tcase(all, tcase);
    SRunner *runner = srunner_create(all);
    if (!fork) {
        srunner_set_fork_status(runner, CK_NOFORK);
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- order of events ---------------------------------------------------- */

static char events[SUPPORT_RECORD_BYTES];
static size_t events_length;

void record(const char *format, ...) {
    va_list list;
    size_t room = sizeof events - events_length;

    if (events_length > 0 && room > 1) {
        events[events_length++] = ' ';
        room--;
    }
    va_start(list, format);
    int length = vsnprintf(events + events_length, room, format, list);
    va_end(list);
    ck_assert_msg(length >= 0 && (size_t)length < room,
                  "the record of events is full");
    events_length += (size_t)length;
}

void support_record_take(char ret_text[SUPPORT_RECORD_BYTES]) {
    memcpy(ret_text, events, events_length);
    ret_text[events_length] = '\0';
    events_length = 0;
}

/* ---- reports ------------------------------------------------------------ */

static pthread_mutex_t reports_lock = PTHREAD_MUTEX_INITIALIZER;
static char reports[65536]; /* every text, each ended by a newline */
static char reports_copy[sizeof reports];
static size_t reports_length;
static size_t reports_count;

void support_report(void *arg, const char *text) {
    (void)arg;
    pthread_mutex_lock(&reports_lock);
    size_t room = sizeof reports - reports_length;
    int length = snprintf(reports + reports_length, room, "%s\n", text);
    if (length > 0) {
        size_t written = (size_t)length;
        reports_length += written < room ? written : room - 1;
    }
    reports_count++;
    pthread_mutex_unlock(&reports_lock);
}

const char *support_reports(void) {
    pthread_mutex_lock(&reports_lock);
    memcpy(reports_copy, reports, reports_length);
    reports_copy[reports_length] = '\0';
    pthread_mutex_unlock(&reports_lock);
    return reports_copy;
}

bool support_reports_contain(const char *part) {
    return strstr(support_reports(), part) != NULL;
}

size_t support_report_count(void) {
    pthread_mutex_lock(&reports_lock);
    size_t count = reports_count;
    pthread_mutex_unlock(&reports_lock);
    return count;
}

void support_reports_clear(void) {
    pthread_mutex_lock(&reports_lock);
    reports_length = 0;
    reports_count = 0;
    pthread_mutex_unlock(&reports_lock);
}

/* ---- death -------------------------------------------------------------- */

/* Everything that can be read from fd, cut at the size of the buffer. */
static void read_all(int fd, char *ret_text, size_t bytes) {
    size_t length = 0;
    char rest[256];

    for (;;) {
        size_t room = bytes - 1 - length;
        ssize_t got = read(fd, room > 0 ? ret_text + length : rest,
                           room > 0 ? room : sizeof rest);
        if (got <= 0) {
            break;
        }
        length += room > 0 ? (size_t)got : 0;
    }
    ret_text[length] = '\0';
}

bool support_dies(void (*fn)(void *arg), void *arg, int signal,
                  const char *text) {
    static char output[65536];
    int ends[2];
    int status = 0;

    ck_assert_int_eq(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        fn(arg);
        _exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    read_all(ends[0], output, sizeof output);
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);

    bool died = WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
    if (died && signal != 0) {
        died = WIFSIGNALED(status) ? WTERMSIG(status) == signal : SANITIZED;
    }
    bool said = strstr(output, text) != NULL;
    if (!died || !said) {
        fprintf(stderr, "status 0x%x, standard error:\n%s\n", (unsigned)status,
                output);
    }
    return died && said;
}
