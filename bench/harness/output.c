/*
 * JSON through jansson, and files that can be written.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static int cannot_write(const char *path, int error) {
    bench_wrong("cannot write '%s': %s", path, strerror(error));
    return uv_translate_sys_error(error);
}

/* A file that is not there yet is made and removed again; one that is there is
 * opened and left as it is. Asking access(2) instead was rejected: it does not
 * know what an open would run into. */
int bench_output_check(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd >= 0) {
        close(fd);
        unlink(path);
        return 0;
    }
    if (errno == EEXIST)
        fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_write(path, errno);
    close(fd);
    return 0;
}

json_t *bench_subject_json(const bench_subject_t *subject,
                           const bench_series_t *series) {
    bench_summary_t summary = bench_summarise(series);
    json_t *samples = json_array();

    for (size_t i = 0; i < series->count; i++)
        json_array_append_new(samples, json_real(series->values[i]));
    return json_pack("{s:s, s:s, s:o*, s:f, s:f, s:f, s:f, s:o}", "name",
                     subject->name, "unit", subject->unit, "goal",
                     subject->goal > 0 ? json_real(subject->goal) : NULL,
                     "median", summary.median, "min", summary.min, "max",
                     summary.max, "mad", summary.mad, "samples", samples);
}

int bench_json_write(json_t *root, const char *path) {
    FILE *file;
    int failed;

    if (root == NULL)
        return bench_wrong("%s", uv_strerror(UV_ENOMEM));
    file = fopen(path, "w");
    if (file == NULL) {
        json_decref(root);
        return cannot_write(path, errno);
    }
    failed = json_dumpf(root, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    failed |= fputc('\n', file) == EOF;
    failed |= fclose(file) != 0;
    return failed ? cannot_write(path, errno != 0 ? errno : EIO) : 0;
}
