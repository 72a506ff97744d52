/*
 * Fetches many URLs at once and says of each how it went:
 *
 *     fetch [-j LIMIT] [-t MS] [-m BYTES] [-c CA] [-b] [-p] URL...
 *
 *     -j LIMIT   so many at the same time (10)
 *     -t MS      each may take so long (30000)
 *     -m BYTES   an answer may be so long (16 MiB)
 *     -c CA      a file with the certificates to trust, for https
 *     -b         print the bodies
 *     -p         show progress also where standard error is no terminal
 *
 * The status is 0 if each URL gave a status below 400, and 130 after Ctrl-C
 * or SIGTERM, which take back what is under way.
 *
 * This is the example that every tutorial on asyncio has, with aiohttp:
 *
 *     async with aiohttp.ClientSession() as session:
 *         await asyncio.gather(*(fetch(session, url) for url in urls))
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "curl_session.h"

typedef struct options {
    size_t limit;
    uint64_t timeout_ms;
    curl_session_options_t session;
    bool prints_bodies;
    bool shows_progress;
    char **urls;
    size_t url_count;
} options_t;

/* What the tasks share. */
typedef struct fetch {
    const options_t *options;
    curl_session_t *session;
    uva_semaphore_t slots;
    size_t over;
    size_t failed;
} fetch_t;

/* One URL. */
typedef struct job {
    fetch_t *fetch;
    const char *url;
    curl_response_t response;
    uint64_t ms;
} job_t;

/* ---- one URL ------------------------------------------------------------ */

static void tell(const job_t *job, int code) {
    const curl_response_t *response = &job->response;

    if (job->fetch->options->shows_progress)
        fputs("\r\033[K", stderr);
    if (code < 0)
        printf("failed  %s  (%s)\n", job->url,
               code == UV_ETIMEDOUT ? uv_strerror(code) : response->why);
    else
        printf("%ld  %s  (%zu bytes, %" PRIu64 " ms)\n", response->status,
               job->url, response->bytes, job->ms);
    if (code == 0 && job->fetch->options->prints_bodies)
        fwrite(response->body, 1, response->bytes, stdout);
    fflush(stdout);
}

static int get_in_time(job_t *job) {
    uva_scope_t scope;
    uint64_t start = uva_now_ms();

    uva_scope_open(&scope, job->fetch->options->timeout_ms, 0);
    int code = curl_session_get(job->fetch->session, job->url, &job->response);
    int cut = uva_scope_close(&scope);
    job->ms = uva_now_ms() - start;
    return code == UV_ECANCELED && cut < 0 ? cut : code;
}

static int fetch_url(void *arg) {
    job_t *job = arg;
    fetch_t *fetch = job->fetch;

    int code = uva_semaphore_acquire(&fetch->slots);
    if (code < 0)
        return code;
    code = get_in_time(job);
    uva_semaphore_release(&fetch->slots);
    tell(job, code);
    fetch->over++;
    if (code < 0 || job->response.status >= 400)
        fetch->failed++;
    return code == UV_ECANCELED ? code : 0;
}

/* ---- all of them -------------------------------------------------------- */

typedef struct progress {
    const fetch_t *fetch;
    const job_t *jobs;
} progress_t;

/* Looks at what the other tasks have so far, until it is cancelled. */
static int show_progress(void *arg) {
    const progress_t *progress = arg;
    const fetch_t *fetch = progress->fetch;
    int code = 0;

    while (code == 0) {
        size_t bytes = 0;
        for (size_t i = 0; i < fetch->options->url_count; i++)
            bytes += progress->jobs[i].response.bytes;
        fprintf(stderr, "\r\033[K%zu of %zu, %zu KiB", fetch->over,
                fetch->options->url_count, bytes >> 10);
        code = uva_sleep(100);
    }
    fputs("\r\033[K", stderr);
    return 0;
}

static int run_jobs(fetch_t *fetch, job_t *jobs, uva_future_t *tasks[]) {
    size_t count = fetch->options->url_count;
    progress_t progress = {fetch, jobs};
    uva_task_t *shower = NULL;

    for (size_t i = 0; i < count; i++) {
        jobs[i] = (job_t){.fetch = fetch, .url = fetch->options->urls[i]};
        tasks[i] = uva_spawn(fetch_url, &jobs[i]);
        fetch->failed += tasks[i] == NULL;
    }
    if (fetch->options->shows_progress)
        shower = uva_spawn(show_progress, &progress);
    int code = uva_gather_settled(tasks, count, NULL, NULL);
    if (shower != NULL)
        uva_cancel_and_wait(shower);
    for (size_t i = 0; i < count; i++)
        curl_response_clear(&jobs[i].response);
    return code;
}

static int fetch_all(void *arg) {
    const options_t *options = arg;
    fetch_t fetch = {.options = options};
    job_t *jobs = calloc(options->url_count, sizeof(*jobs));
    uva_future_t **tasks = calloc(options->url_count, sizeof(uva_future_t *));
    int code = UV_ENOMEM;

    uva_semaphore_init(&fetch.slots, options->limit);
    if (jobs != NULL && tasks != NULL)
        code = curl_session_open(&options->session, &fetch.session);
    if (code == 0) {
        code = run_jobs(&fetch, jobs, tasks);
        curl_session_close(fetch.session);
    }
    free(tasks);
    free(jobs);
    return code < 0 ? code : fetch.failed > 0;
}

/* ---- the command line --------------------------------------------------- */

static int usage(const char *program) {
    fprintf(stderr,
            "usage: %s [-j LIMIT] [-t MS] [-m BYTES] [-c CA] [-b] [-p] "
            "URL...\n",
            program);
    return 2;
}

/* 0, or what to end with. */
static int parse(int argc, char **argv, options_t *options) {
    int option;

    while ((option = getopt(argc, argv, "j:t:m:c:bp")) != -1) {
        if (option == 'j')
            options->limit = strtoul(optarg, NULL, 10);
        else if (option == 't')
            options->timeout_ms = strtoull(optarg, NULL, 10);
        else if (option == 'm')
            options->session.body_limit = strtoul(optarg, NULL, 10);
        else if (option == 'c')
            options->session.ca_file = optarg;
        else if (option == 'b')
            options->prints_bodies = true;
        else if (option == 'p')
            options->shows_progress = true;
        else
            return usage(argv[0]);
    }
    options->urls = argv + optind;
    options->url_count = (size_t)(argc - optind);
    return options->url_count == 0 || options->limit == 0 ? usage(argv[0]) : 0;
}

int main(int argc, char **argv) {
    options_t options = {.limit = 10,
                         .timeout_ms = 30000,
                         .shows_progress = isatty(STDERR_FILENO) == 1};
    int code = parse(argc, argv, &options);

    if (code != 0)
        return code;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        fprintf(stderr, "%s: libcurl cannot be initialised\n", argv[0]);
        return 1;
    }
    code = uva_run_with(&(uva_options_t){.handle_signals = true}, fetch_all,
                        &options);
    curl_global_cleanup();
    if (code < 0)
        fprintf(stderr, "%s: %s\n", argv[0], uv_strerror(code));
    return code == UV_EINTR ? 130 : code != 0;
}
