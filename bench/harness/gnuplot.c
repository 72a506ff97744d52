/*
 * How gnuplot is run.
 *
 * The script goes in through an unlinked temporary file as standard input and
 * the picture comes out through another as standard output, so that no name
 * has to be quoted, no pipe can break, and no half a picture is left behind.
 * The data stand in the script.
 */
#include "gnuplot.h"

#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

extern char **environ;

/* Runs gnuplot between two descriptors. Returns its exit status, or a negative
 * code. */
static int run_gnuplot(int script, int picture) {
    char name[] = "gnuplot";
    char *const arguments[] = {name, NULL};
    posix_spawn_file_actions_t actions;
    pid_t process;
    int status;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0)
        return uv_translate_sys_error(error);
    posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, picture, STDOUT_FILENO);
    error = posix_spawnp(&process, name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return uv_translate_sys_error(error);
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return uv_translate_sys_error(errno);
    return WIFEXITED(status) ? WEXITSTATUS(status) : UV_EINTR;
}

int bench_gnuplot_check(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int code =
        null < 0 ? uv_translate_sys_error(errno) : run_gnuplot(null, null);

    if (null >= 0)
        close(null);
    if (code == 0)
        return 0;
    bench_wrong("--plot needs gnuplot: %s (Debian: gnuplot-nox)",
                code < 0 ? uv_strerror(code) : "it does not run");
    return UV_ENOENT;
}

const char bench_gnuplot_style[] =
    "set encoding utf8\n"
    "set border 3 lc rgb '#8a8f98'\n"
    "set tics nomirror out scale 0.6 textcolor rgb '#3c4048'\n"
    "set grid ytics lc rgb '#e6e8eb' lt 1 lw 1\n"
    "set style line 1 lc rgb '#c8553d' lw 2.5 pt 7 ps 0.7\n"
    "set style line 2 lc rgb '#1f6f8b' lw 2.5 pt 7 ps 0.7\n"
    "set style line 3 lc rgb '#5b616b' lw 1.5 dt (6,5)\n"
    "set style line 4 lc rgb '#b09a4a' lw 2 pt 7 ps 0.6\n";

/* Copies the picture to where the user wants it. Returns 0 or an errno. */
static int copy_picture(FILE *picture, const char *path) {
    FILE *file = fopen(path, "wb");
    char buffer[16384];
    size_t bytes;
    int error = 0;

    if (file == NULL)
        return errno;
    rewind(picture);
    while ((bytes = fread(buffer, 1, sizeof(buffer), picture)) > 0)
        if (fwrite(buffer, 1, bytes, file) != bytes)
            break;
    if (ferror(picture) || ferror(file))
        error = errno;
    if (fclose(file) != 0 && error == 0)
        error = errno;
    return error;
}

int bench_gnuplot_draw(FILE *script, const char *path) {
    FILE *picture = tmpfile();
    int error = picture == NULL ? errno : 0;
    int status = 0;

    if (error == 0 && (fflush(script) != 0 || fseek(script, 0, SEEK_SET) != 0))
        error = errno;
    if (error == 0)
        status = run_gnuplot(fileno(script), fileno(picture));
    if (error == 0 && status == 0)
        error = copy_picture(picture, path);
    if (picture != NULL)
        fclose(picture);
    if (status != 0)
        return bench_wrong("cannot draw '%s': %s", path,
                           status < 0 ? uv_strerror(status) : "gnuplot failed");
    if (error != 0)
        return bench_wrong("cannot write '%s': %s", path, strerror(error));
    return 0;
}
