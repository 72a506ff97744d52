/* labels: valgrind; timeout: 30 */
/* Changes in the file system reach who waits, and are kept for who does not. */
#include "fs_fixture.h"

static uva_fs_event_t *watch_here(void) {
    uva_fs_event_t *event = NULL;
    ck_assert_int_eq(uva_fs_event_open(".", 0, &event), 0);
    return event;
}

/* The next change is of that name. */
static void expect_change(uva_fs_event_t *event, const char *name, int events) {
    uva_fs_change_t change = {0, NULL};
    ck_assert_int_eq(uva_fs_event_next(event, &change), 0);
    ck_assert_str_eq(change.name, name);
    ck_assert_int_eq(change.events, events);
}

/* ---- events ------------------------------------------------------------- */

static int kept(void *arg) {
    (void)arg;
    uva_fs_event_t *event = watch_here();
    make_file("a", "");
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(rename("a", "b"), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(chmod("b", 0500), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    expect_change(event, "a", UV_RENAME);
    expect_change(event, "a", UV_RENAME);
    expect_change(event, "b", UV_RENAME);
    expect_change(event, "b", UV_CHANGE);
    ck_assert_int_eq(unlink("b"), 0);
    expect_change(event, "b", UV_RENAME);
    uva_fs_event_close(event);
    uva_fs_event_close(NULL);
    return 0;
}

START_TEST(fs_event_is_kept_in_order) {
    run_in_place(kept);
}
END_TEST

static int next_of(void *arg) {
    uva_fs_change_t change = {0, NULL};
    int code = uva_fs_event_next(arg, &change);
    if (code == 0)
        record("%s", change.name);
    return code;
}

static uva_task_t *spawn_next(uva_fs_event_t *event) {
    uva_task_t *task = uva_spawn(next_of, event);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(task));
    return task;
}

static int waited_for(void *arg) {
    (void)arg;
    uva_fs_event_t *event = watch_here();
    uva_fs_change_t change;
    uva_task_t *task = spawn_next(event);
    ck_assert_int_eq(uva_fs_event_next(event, &change), UV_EBUSY);
    ck_assert_int_eq(mkdir("a", 0700), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_expect_record("a");
    /* A cancelled wait loses nothing. */
    task = spawn_next(event);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(rmdir("a"), 0);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    expect_change(event, "a", UV_RENAME);
    /* Closed meanwhile. */
    task = spawn_next(event);
    uva_fs_event_close(event);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(fs_event_wakes_who_waits) {
    run_in_place(waited_for);
}
END_TEST

/* Told, then closed before its turn: closed. */
static int told_then_closed(void *arg) {
    (void)arg;
    uva_fs_event_t *event = watch_here();
    uva_task_t *task = spawn_next(event);
    uva_task_t *other = uva_spawn(next_of, event);
    ck_assert_int_eq(uva_await(other, NULL), UV_EBUSY);
    uva_cancel(task);
    uva_fs_event_close(event);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    event = watch_here();
    ck_assert_int_eq(mkdir("a", 0700), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(rmdir("a"), 0);
    uva_fs_event_close(event); /* with a change that nobody had */
    return 0;
}

START_TEST(fs_event_closed_with_changes) {
    run_in_place(told_then_closed);
}
END_TEST

static int overflow(void *arg) {
    (void)arg;
    uva_fs_change_t change;
    uva_fs_event_t *event = watch_here();
    for (int i = 0; i < UVA_FS_EVENT_KEPT; i++) {
        ck_assert_int_eq(mkdir("a", 0700), 0);
        ck_assert_int_eq(rmdir("a"), 0);
    }
    ck_assert_int_eq(uva_sleep(1), 0); /* the loop takes what there is */
    for (int i = 0; i < UVA_FS_EVENT_KEPT; i++)
        expect_change(event, "a", UV_RENAME);
    ck_assert_int_eq(uva_fs_event_next(event, &change), UV_ENOBUFS);
    ck_assert_int_eq(mkdir("b", 0700), 0);
    expect_change(event, "b", UV_RENAME);
    uva_fs_event_close(event);
    return uva_fs_rmdir("b");
}

START_TEST(fs_event_says_what_it_dropped) {
    run_in_place(overflow);
}
END_TEST

/* Without memory for a change it is dropped, and said. Most come from a pool,
 * so that not each needs any. */
static int no_memory(void *arg) {
    (void)arg;
    uva_fs_change_t change;
    uva_fs_event_t *event = watch_here();
    int lost = 0;
    int code = 0;
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(mkdir("a", 0700), 0);
        ck_assert_int_eq(rmdir("a"), 0);
    }
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_uint_gt(faults_clear(), 0);
    for (int i = 0; i < 200 && code == 0; i++) {
        code = uva_fs_event_next(event, &change);
        lost += code == UV_ENOBUFS;
    }
    ck_assert_int_eq(lost, 1);
    uva_fs_event_close(event);
    return 0;
}

START_TEST(fs_event_without_memory) {
    run_in_place(no_memory);
}
END_TEST

static int of_nothing(void *arg) {
    (void)arg;
    uva_fs_event_t *event = NULL;
    uva_fs_poll_t *poll = NULL;
    uva_fs_change_t change;
    ck_assert_int_eq(uva_fs_event_open("none", 0, &event), UV_ENOENT);
    ck_assert_int_eq(uva_fs_event_open(NULL, 0, &event), UV_EINVAL);
    ck_assert_int_eq((uva_fs_event_open)(".", 0, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_fs_event_next(NULL, &change), UV_EINVAL);
    ck_assert_int_eq(uva_fs_poll_open(NULL, 1, &poll), UV_EINVAL);
    ck_assert_int_eq((uva_fs_poll_open)(".", 0, &poll), UV_EINVAL);
    ck_assert_int_eq(uva_fs_poll_open(".", 1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_fs_poll_next(NULL, NULL, NULL), UV_EINVAL);
    event = watch_here();
    ck_assert_int_eq(uva_fs_event_next(event, NULL), UV_EINVAL);
    uva_fs_event_close(event);
    return 0;
}

START_TEST(fs_event_of_nothing) {
    run_in_place(of_nothing);
}
END_TEST

static int forget(void *arg) {
    (void)arg;
    uva_fs_poll_t *poll = NULL;
    ck_assert_int_eq(uva_fs_poll_open(".", 1, &poll), 0);
    (void)watch_here();
    return 0;
}

START_TEST(fs_event_left_open_is_reported) {
    place_t place = enter_place();
    ck_assert_int_eq(uva_run_with(&quiet, forget, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("a watch (opened at "));
    leave_place(&place);
}
END_TEST

START_TEST(fs_event_without_a_runtime_is_refused) {
    uva_fs_event_t *event = NULL;
    uva_fs_poll_t *poll = NULL;
    ck_assert_int_eq(uva_fs_event_open(".", 0, &event), UV_EPERM);
    ck_assert_int_eq(uva_fs_poll_open(".", 1, &poll), UV_EPERM);
}
END_TEST

/* ---- polling ------------------------------------------------------------ */

static void append_byte(const char *path) {
    FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fputc('x', file), 'x');
    ck_assert_int_eq(fclose(file), 0);
}

static int look(void *arg) {
    (void)arg;
    uv_stat_t previous;
    uv_stat_t current;
    uva_fs_poll_t *poll = NULL;
    ck_assert_int_eq(uva_fs_poll_open("file", 1, &poll), 0);
    ck_assert_int_eq(uva_fs_poll_next(poll, &previous, &current), UV_ENOENT);
    make_file("file", "");
    uint64_t known = 0;
    /* It comes with no bytes or with some; each change goes on from the last,
     * also when several were one. */
    for (int i = 0; known < 5; i++) {
        ck_assert_int_eq(uva_fs_poll_next(poll, &previous, &current), 0);
        ck_assert_uint_eq(previous.st_size, known);
        known = current.st_size;
        append_byte("file");
    }
    ck_assert_int_eq(unlink("file"), 0);
    int code;
    do
        code = uva_fs_poll_next(poll, NULL, NULL);
    while (code == 0);
    ck_assert_int_eq(code, UV_ENOENT);
    uva_fs_poll_close(poll);
    uva_fs_poll_close(NULL);
    return 0;
}

START_TEST(fs_poll_finds_changes) {
    run_in_place(look);
}
END_TEST

/* Two look at one file. What the one has seen step by step is one change to
 * the other, who asks late. */
static int look_late(void *arg) {
    (void)arg;
    uv_stat_t previous;
    uv_stat_t current;
    uva_fs_poll_t *early = NULL;
    uva_fs_poll_t *late = NULL;
    ck_assert_int_eq(uva_fs_poll_open("file", 1, &early), 0);
    ck_assert_int_eq(uva_fs_poll_open("file", 1, &late), 0);
    ck_assert_int_eq(uva_fs_poll_next(early, NULL, NULL), UV_ENOENT);
    ck_assert_int_eq(uva_fs_poll_next(late, NULL, NULL), UV_ENOENT);
    make_file("file", "");
    ck_assert_int_eq(uva_fs_poll_next(early, NULL, NULL), 0);
    ck_assert_int_eq(uva_fs_poll_next(late, NULL, NULL), 0);
    for (uint64_t bytes = 1; bytes <= 10; bytes++) {
        append_byte("file");
        do
            ck_assert_int_eq(uva_fs_poll_next(early, NULL, &current), 0);
        while (current.st_size != bytes);
    }
    ck_assert_int_eq(uva_fs_poll_next(late, &previous, &current), 0);
    ck_assert_uint_eq(previous.st_size, 0);
    ck_assert_uint_gt(current.st_size, 0);
    uva_fs_poll_close(early);
    uva_fs_poll_close(late);
    return uva_fs_unlink("file");
}

START_TEST(fs_poll_makes_one_of_several) {
    run_in_place(look_late);
}
END_TEST

static int next_look(void *arg) {
    return uva_fs_poll_next(arg, NULL, NULL);
}

static int cut_looking(void *arg) {
    (void)arg;
    uva_fs_poll_t *poll = NULL;
    ck_assert_int_eq(uva_fs_poll_open(".", 1, &poll), 0);
    uva_task_t *task = uva_spawn(next_look, poll);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(next_look(poll), UV_EBUSY);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    task = uva_spawn(next_look, poll);
    ck_assert_int_eq(uva_yield(), 0);
    uva_fs_poll_close(poll);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(fs_poll_is_cut_and_closed) {
    run_in_place(cut_looking);
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

static int live(void) {
    uva_fs_event_t *event = NULL;
    uva_fs_poll_t *poll = NULL;
    int code = uva_fs_event_open(".", 0, &event);
    if (code == 0)
        code = uva_fs_poll_open(".", 1, &poll);
    uva_fs_event_close(event);
    uva_fs_poll_close(poll);
    return code;
}

static int try_once(void *arg) {
    const fault_t *kind = arg;
    ck_assert_int_eq(live(), 0);
    faults_fail(*kind, 1);
    ck_assert_int_eq(live(), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    return live();
}

START_TEST(fs_event_faults_are_survived) {
    fault_t kinds[] = {FAULT_UV_FS_EVENT_INIT, FAULT_UV_FS_EVENT_START,
                       FAULT_UV_FS_POLL_INIT, FAULT_UV_FS_POLL_START,
                       FAULT_MALLOC};
    place_t place = enter_place();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &kinds[i]), 0);
        ck_assert_str_eq(support_reports(), "");
    }
    leave_place(&place);
}
END_TEST

SUITE("fs_event", fs_event_is_kept_in_order, fs_event_wakes_who_waits,
      fs_event_closed_with_changes, fs_event_says_what_it_dropped,
      fs_event_without_memory, fs_event_of_nothing,
      fs_event_left_open_is_reported, fs_event_without_a_runtime_is_refused,
      fs_poll_finds_changes, fs_poll_makes_one_of_several,
      fs_poll_is_cut_and_closed, fs_event_faults_are_survived)
