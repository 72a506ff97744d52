/*
 * fs_fixture.h - what the tests of files share: a directory of their own, and
 * a thread pool that can be held still.
 */
#ifndef FS_FIXTURE_H
#define FS_FIXTURE_H

#include "support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uvawait.h>

static const uva_options_t quiet = {.report = support_report};

/* Runs fn as main; nothing may have been reported. */
static inline void run_clean(uva_fn fn) {
    ck_assert_int_eq(uva_run_with(&quiet, fn, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}

/* ---- a place ------------------------------------------------------------ */

/* A directory of this process alone, and where the test stands from then on. */
typedef struct place {
    char path[64];
} place_t;

static inline place_t enter_place(void) {
    place_t place;
    snprintf(place.path, sizeof place.path, "/tmp/uvawait.fs.%ld",
             (long)getpid());
    ck_assert_int_eq(mkdir(place.path, 0700), 0);
    ck_assert_int_eq(chdir(place.path), 0);
    return place;
}

/* Fails when something was left in it. */
static inline void leave_place(const place_t *place) {
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(place->path), 0);
}

/* Runs fn in a place of its own. */
static inline void run_in_place(uva_fn fn) {
    place_t place = enter_place();
    run_clean(fn);
    leave_place(&place);
}

static inline void make_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static inline void expect_file(const char *path, const char *text) {
    static char found[65536];
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "there is no %s", path);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    ck_assert_str_eq(found, text);
}

static inline bool exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

/* ---- the pool ----------------------------------------------------------- */

/* One job that holds libuv's pool, which has one thread then: what is queued
 * meanwhile stays queued. */
typedef struct holder {
    uv_sem_t begun;
    uv_sem_t go_on;
    uva_task_t *task;
} holder_t;

static inline int hold(void *arg) {
    holder_t *holder = arg;
    uv_sem_post(&holder->begun);
    uv_sem_wait(&holder->go_on);
    return 0;
}

static inline int hold_in_thread(void *arg) {
    return uva_to_thread(hold, arg);
}

/* Before the first job of the process. */
static inline void use_one_thread(void) {
    ck_assert_int_eq(setenv("UV_THREADPOOL_SIZE", "1", 1), 0);
}

static inline void hold_pool(holder_t *holder) {
    ck_assert_int_eq(uv_sem_init(&holder->begun, 0), 0);
    ck_assert_int_eq(uv_sem_init(&holder->go_on, 0), 0);
    holder->task = uva_spawn(hold_in_thread, holder);
    ck_assert_int_eq(uva_yield(), 0);
    uv_sem_wait(&holder->begun);
}

static inline void release_pool(holder_t *holder) {
    uv_sem_post(&holder->go_on);
    ck_assert_int_eq(uva_await(holder->task, NULL), 0);
    uv_sem_destroy(&holder->begun);
    uv_sem_destroy(&holder->go_on);
}

#endif
