/*
 * Draws by gnuplot.
 *
 * The script goes in through an unlinked temporary file as standard input and
 * the picture comes out through another as standard output, so that no name
 * has to be quoted, no pipe can break, and no half a picture is left behind.
 * The data stand in the script.
 */
#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
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

int plot_check(void) {
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

static const char preamble[] =
    "set encoding utf8\n"
    "set border 3 lc rgb '#8a8f98'\n"
    "set tics nomirror out scale 0.6 textcolor rgb '#3c4048'\n"
    "set grid ytics lc rgb '#e6e8eb' lt 1 lw 1\n"
    "set logscale xy\n"
    "set ytics ('1 us' 1e-6, '10 us' 1e-5, '100 us' 1e-4, '1 ms' 1e-3, '10 ms' "
    "0.01, "
    "'100 ms' 0.1, '1 s' 1, '10 s' 10, '100 s' 100, '1000 s' 1000)\n"
    "set style line 1 lc rgb '#c8553d' lw 2.5 pt 7 ps 0.7\n"
    "set style line 2 lc rgb '#1f6f8b' lw 2.5 pt 7 ps 0.7\n"
    "set style line 3 lc rgb '#5b616b' lw 1.5 dt (6,5)\n"
    "set style line 4 lc rgb '#b09a4a' lw 2 pt 7 ps 0.6\n";

/* The results [first, end) are those of one job. */
static size_t end_of_job(const result_t results[], size_t count, size_t first) {
    size_t end = first;

    while (end < count && results[end].job == results[first].job)
        end++;
    return end;
}

static size_t count_jobs(const result_t results[], size_t count) {
    size_t jobs = 0;

    for (size_t i = 0; i < count; i = end_of_job(results, count, i))
        jobs++;
    return jobs;
}

/* The data of a panel: n, then median, min and max of each side, the ideal,
 * and the speed-up. */
static void write_data(FILE *script, const result_t results[], size_t count) {
    fputs("$data << END\n", script);
    for (size_t i = 0; i < count; i++) {
        const result_t *result = &results[i];
        fprintf(script, "%zu", result->n);
        for (size_t side = 0; side < SIDES; side++) {
            bench_summary_t s = bench_summarise(&result->series[side]);
            fprintf(script, " %.9g %.9g %.9g", s.median, s.min, s.max);
        }
        double speed_up = result_median(result, SEQUENTIAL) /
                          result_median(result, CONCURRENT);
        fprintf(script, " %.9g %.*fx\n", result->ideal_s, speed_up < 10 ? 1 : 0,
                speed_up);
    }
    fputs("END\n", script);
}

/* The range of seconds that a panel shows, with room for the key above. */
static void write_range(FILE *script, const result_t results[], size_t count) {
    double low = results[0].ideal_s;
    double high = low;

    for (size_t i = 0; i < count; i++) {
        if (results[i].ideal_s < low)
            low = results[i].ideal_s;
        for (size_t side = 0; side < results[i].sides; side++) {
            bench_summary_t s = bench_summarise(&results[i].series[side]);
            low = s.min < low ? s.min : low;
            high = s.max > high ? s.max : high;
        }
    }
    fprintf(script, "set yrange [%g:%g]\n", low / 2, high * 10);
}

/* A panel: lines over n with bars from the smallest to the largest sample,
 * and the speed-up between the two lines. */
static void write_panel(FILE *script, const result_t results[], size_t count) {
    const result_t *last = &results[count - 1];

    write_data(script, results, count);
    fprintf(script, "set title \"%s\" font ',14' textcolor rgb '#22252b'\n",
            results[0].job->title);
    fputs("set xlabel 'how many' textcolor rgb '#3c4048'\nset xtics (", script);
    for (size_t i = 0; i < count; i++)
        fprintf(script, "%s'%zu' %zu", i > 0 ? ", " : "", results[i].n,
                results[i].n);
    fprintf(script, ")\nset xrange [%g:%g]\n", (double)results[0].n / 1.8,
            (double)last->n * 1.8);
    write_range(script, results, count);
    fputs("plot $data u 1:11 w l ls 3 t 'ideal: the longest single wait', \\\n"
          " $data u 1:2:3:4 w yerrorbars ls 1 ps 0.01 notitle, \\\n"
          " $data u 1:2 w lp ls 1 t 'one after another', \\\n",
          script);
    if (last->sides > PLAIN)
        fputs(" $data u 1:8 w lp ls 4 t 'plain loop, no tasks', \\\n", script);
    fputs(" $data u 1:5:6:7 w yerrorbars ls 2 ps 0.01 notitle, \\\n"
          " $data u 1:5 w lp ls 2 t 'all at once', \\\n"
          " $data u 1:(sqrt($2*$5)):12 w labels font ',12' "
          "textcolor rgb '#22252b' notitle\n",
          script);
}

static void write_script(FILE *script, const bench_machine_t *machine,
                         const result_t results[], size_t count) {
    size_t jobs = count_jobs(results, count);

    fprintf(script,
            "set terminal svg size %zu,500 font 'Helvetica,12' "
            "background rgb 'white' enhanced\n",
            jobs * 400 + 40);
    fputs(preamble, script);
    fprintf(script,
            "set multiplot layout 1,%zu title \"The same job one after another"
            " and all at once: uvawait %s, %s, %u cores\" noenhanced "
            "font ',13' offset 0,0.3\n"
            "set tmargin 5\n",
            jobs, machine->library, machine->cpu, machine->cores);
    fputs("set key top left reverse Left samplen 2 font ',11' "
          "textcolor rgb '#3c4048'\n",
          script);
    for (size_t i = 0; i < count;) {
        size_t end = end_of_job(results, count, i);
        write_panel(script, &results[i], end - i);
        i = end;
    }
    fputs("unset multiplot\n", script);
}

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

int plot_write(const char *path, const bench_machine_t *machine,
               const result_t results[], size_t count) {
    FILE *script = tmpfile();
    FILE *picture = tmpfile();
    int error = script == NULL || picture == NULL ? errno : 0;
    int status = 0;

    if (error == 0) {
        write_script(script, machine, results, count);
        if (fflush(script) != 0 || fseek(script, 0, SEEK_SET) != 0)
            error = errno;
    }
    if (error == 0)
        status = run_gnuplot(fileno(script), fileno(picture));
    if (error == 0 && status == 0)
        error = copy_picture(picture, path);
    if (script != NULL)
        fclose(script);
    if (picture != NULL)
        fclose(picture);
    if (status != 0)
        return bench_wrong("cannot draw '%s': %s", path,
                           status < 0 ? uv_strerror(status) : "gnuplot failed");
    if (error != 0)
        return bench_wrong("cannot write '%s': %s", path, strerror(error));
    return 0;
}
