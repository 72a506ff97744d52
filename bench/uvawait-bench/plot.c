/*
 * The script that gnuplot draws the main job's figures by.
 */
#include "plot.h"

#include "../harness/gnuplot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int plot_check(void) {
    return bench_gnuplot_check();
}

static const char axes[] =
    "set logscale xy\n"
    "set ytics ('1 us' 1e-6, '10 us' 1e-5, '100 us' 1e-4, '1 ms' 1e-3, '10 ms' "
    "0.01, "
    "'100 ms' 0.1, '1 s' 1, '10 s' 10, '100 s' 100, '1000 s' 1000)\n";

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
    fputs(bench_gnuplot_style, script);
    fputs(axes, script);
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

int plot_write(const char *path, const bench_machine_t *machine,
               const result_t results[], size_t count) {
    FILE *script = tmpfile();

    if (script == NULL)
        return bench_wrong("cannot write '%s': %s", path, strerror(errno));
    write_script(script, machine, results, count);
    int code = bench_gnuplot_draw(script, path);
    fclose(script);
    return code;
}
