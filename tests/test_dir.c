/* labels: valgrind; timeout: 30 */
/* Directories: every entry once, and a close at any time. */
#include "fs_fixture.h"

enum { MANY = 200 };

static void name_of(int i, char ret_name[32]) {
    snprintf(ret_name, 32, "file-%d", i);
}

static void make_many(void) {
    char name[32];
    for (int i = 0; i < MANY; i++) {
        name_of(i, name);
        make_file(name, "");
    }
}

static void remove_many(void) {
    char name[32];
    for (int i = 0; i < MANY; i++) {
        name_of(i, name);
        ck_assert_int_eq(unlink(name), 0);
    }
}

/* Runs fn where there are many files. */
static void run_among_many(uva_fn fn) {
    place_t place = enter_place();
    make_many();
    run_clean(fn);
    remove_many();
    leave_place(&place);
}

static int read_all(void *arg) {
    (void)arg;
    bool seen[MANY] = {false};
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    int count = 0;
    int code;
    ck_assert_int_eq(uva_dir_open(".", &dir), 0);
    while ((code = uva_dir_next(dir, &entry)) > 0) {
        char name[32];
        int i = atoi(entry.name + strlen("file-"));
        name_of(i, name);
        ck_assert_str_eq(entry.name, name);
        ck_assert(i < MANY && !seen[i]);
        seen[i] = true;
        count++;
    }
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(count, MANY);
    ck_assert_int_eq(uva_dir_next(dir, &entry), 0);
    uva_dir_close(dir);
    return 0;
}

START_TEST(dir_brings_every_entry_once) {
    run_among_many(read_all);
}
END_TEST

static int stop_early(void *arg) {
    (void)arg;
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    ck_assert_int_eq((uva_dir_open)(".", &dir), 0);
    uva_dir_close(dir);
    ck_assert_int_eq(uva_dir_open(".", &dir), 0);
    ck_assert_int_eq(uva_dir_next(dir, &entry), 1);
    uva_dir_close(dir);
    uva_dir_close(NULL);
    return 0;
}

START_TEST(dir_may_be_closed_before_its_end) {
    run_among_many(stop_early);
}
END_TEST

static int empty(void *arg) {
    (void)arg;
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    ck_assert_int_eq(uva_dir_open(".", &dir), 0);
    ck_assert_int_eq(uva_dir_next(dir, &entry), 0);
    ck_assert_int_eq(uva_dir_next(dir, NULL), UV_EINVAL);
    uva_dir_close(dir);
    ck_assert_int_eq(uva_dir_open("none", &dir), UV_ENOENT);
    make_file("file", "");
    ck_assert_int_eq(uva_dir_open("file", &dir), UV_ENOTDIR);
    ck_assert_int_eq(uva_dir_open(NULL, &dir), UV_EINVAL);
    ck_assert_int_eq(uva_dir_open(".", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_dir_next(NULL, &entry), UV_EINVAL);
    return uva_fs_unlink("file");
}

START_TEST(dir_of_nothing) {
    run_in_place(empty);
}
END_TEST

static int next_of(void *arg) {
    uv_dirent_t entry;
    return uva_dir_next(arg, &entry);
}

/* | main             | reader            |
 * | the pool is held |                   |
 * |                  | next <park>       |
 * | next: UV_EBUSY   |                   |
 * | close, release   |                   |  UV_ECANCELED, and all is freed */
static int close_meanwhile(void *arg) {
    (void)arg;
    holder_t holder;
    uva_dir_t *dir = NULL;
    ck_assert_int_eq(uva_dir_open(".", &dir), 0);
    hold_pool(&holder);
    uva_task_t *reader = uva_spawn(next_of, dir);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(next_of(dir), UV_EBUSY);
    uva_dir_close(dir);
    release_pool(&holder);
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(dir_closed_while_a_task_reads) {
    use_one_thread();
    run_among_many(close_meanwhile);
}
END_TEST

/* A cancelled fetch loses nothing. */
static int cancel_meanwhile(void *arg) {
    (void)arg;
    holder_t holder;
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    int count = 0;
    ck_assert_int_eq(uva_dir_open(".", &dir), 0);
    while (count < 64 && uva_dir_next(dir, &entry) > 0)
        count++;
    hold_pool(&holder);
    uva_task_t *reader = uva_spawn(next_of, dir);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(reader));
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECANCELED);
    release_pool(&holder);
    while (uva_dir_next(dir, &entry) > 0)
        count++;
    ck_assert_int_eq(count, MANY);
    uva_dir_close(dir);
    return 0;
}

START_TEST(dir_cancelled_loses_no_entry) {
    use_one_thread();
    run_among_many(cancel_meanwhile);
}
END_TEST

static int forget(void *arg) {
    (void)arg;
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    ck_assert_int_eq(uva_dir_open(".", &dir), 0);
    ck_assert_int_eq(uva_dir_next(dir, &entry), 1);
    return 0;
}

START_TEST(dir_left_open_is_reported) {
    place_t place = enter_place();
    make_file("file", "");
    ck_assert_int_eq(uva_run_with(&quiet, forget, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a directory (opened at "));
    ck_assert(support_reports_contain("test_dir.c"));
    ck_assert_int_eq(unlink("file"), 0);
    leave_place(&place);
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

typedef struct trial {
    fault_t kind;
    unsigned long nth;
    bool is_over;
} trial_t;

static int live(void) {
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    int code = uva_dir_open(".", &dir);
    if (code < 0)
        return code;
    do
        code = uva_dir_next(dir, &entry);
    while (code > 0);
    uva_dir_close(dir);
    return code;
}

static int try_once(void *arg) {
    trial_t *trial = arg;
    faults_fail(trial->kind, trial->nth);
    int code = live();
    trial->is_over = faults_clear() == 0;
    ck_assert_int_eq(code, trial->is_over ? 0 : UV_ENOMEM);
    return live();
}

static void try_each(fault_t kind, unsigned long least) {
    trial_t trial = {.kind = kind};
    while (!trial.is_over) {
        trial.nth++;
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
        ck_assert_str_eq(support_reports(), "");
    }
    ck_assert_uint_gt(trial.nth, least);
}

START_TEST(dir_faults_are_survived) {
    place_t place = enter_place();
    make_many();
    try_each(FAULT_UV_FS_OPENDIR, 1);
    try_each(FAULT_UV_FS_READDIR, 4);
    try_each(FAULT_MALLOC, 1);
    remove_many();
    leave_place(&place);
}
END_TEST

START_TEST(dir_outside_a_task_is_refused) {
    uva_dir_t *dir = NULL;
    uv_dirent_t entry;
    ck_assert_int_eq(uva_dir_open(".", &dir), UV_EPERM);
    ck_assert_int_eq(uva_dir_next(dir, &entry), UV_EPERM);
}
END_TEST

SUITE("dir", dir_brings_every_entry_once, dir_may_be_closed_before_its_end,
      dir_of_nothing, dir_closed_while_a_task_reads,
      dir_cancelled_loses_no_entry, dir_left_open_is_reported,
      dir_faults_are_survived, dir_outside_a_task_is_refused)
