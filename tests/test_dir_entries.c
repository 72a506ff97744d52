/* labels: valgrind; timeout: 30 */
/* A directory's entries as a generator. */
#include "fs_fixture.h"

static int read_three(void *arg) {
    (void)arg;
    int sum = 0;
    int code;
    uv_dirent_t entry;
    make_file("1", "");
    make_file("2", "");
    make_file("4", "");
    uva_generator_t *entries = uva_dir_entries(".");
    while ((code = uva_next(entries, &entry)) > 0)
        sum += atoi(entry.name);
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(sum, 7);
    ck_assert_int_eq(uva_generator_close(entries), 0);
    /* Cut short: the directory is closed. */
    entries = (uva_dir_entries)(".");
    ck_assert_int_eq(uva_next(entries, &entry), 1);
    ck_assert_int_eq(uva_generator_close(entries), 0);
    ck_assert_int_eq(unlink("1") + unlink("2") + unlink("4"), 0);
    return 0;
}

START_TEST(dir_entries_brings_every_entry) {
    run_in_place(read_three);
}
END_TEST

static int open_nothing(void *arg) {
    (void)arg;
    uv_dirent_t entry;
    uva_generator_t *entries = uva_dir_entries("nowhere");
    ck_assert_int_eq(uva_next(entries, &entry), UV_ENOENT);
    ck_assert_int_eq(uva_next(entries, &entry), 0);
    ck_assert_int_eq(uva_generator_close(entries), UV_ENOENT);
    entries = uva_dir_entries(NULL);
    ck_assert_int_eq(uva_next(entries, &entry), UV_EINVAL);
    ck_assert_int_eq(uva_generator_close(entries), UV_EINVAL);
    faults_fail_with(FAULT_UV_FS_READDIR, 1, UV_EIO);
    entries = uva_dir_entries(".");
    ck_assert_int_eq(uva_next(entries, &entry), UV_EIO);
    ck_assert_int_eq(uva_generator_close(entries), UV_EIO);
    ck_assert_uint_eq(faults_clear(), 1);
    return 0;
}

START_TEST(dir_entries_fails_at_the_first) {
    run_in_place(open_nothing);
}
END_TEST

static int read_and_forget(void *arg) {
    (void)arg;
    uv_dirent_t entry;
    make_file("file", "");
    ck_assert_int_eq(uva_next(uva_dir_entries("."), &entry), 1);
    return unlink("file");
}

START_TEST(dir_entries_forgotten_is_closed) {
    place_t place = enter_place();
    ck_assert_int_eq(uva_run_with(&quiet, read_and_forget, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("a generator (made at "));
    ck_assert(support_reports_contain("a directory (opened at "));
    leave_place(&place);
}
END_TEST

SUITE("dir_entries", dir_entries_brings_every_entry,
      dir_entries_fails_at_the_first, dir_entries_forgotten_is_closed)
