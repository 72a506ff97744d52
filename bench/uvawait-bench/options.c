/*
 * Command line through getopt_long.
 */
#include "options.h"

#include "../harness/measure.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uvawait.h>

static const char help_text[] =
    "Usage: uvawait-bench [OPTION]... [PATH]...\n"
    "Does the same job one after another and all at once, and shows what the\n"
    "difference is: sleeping, fetching over TCP, reading files.\n"
    "\n"
    "  --only LIST           of sleep,fetch,files (default: all three)\n"
    "  --quick               small sizes and few samples, some seconds\n"
    "  --runs N              N samples of everything, however long it takes\n"
    "                        (default: 15, fewer where one takes seconds)\n"
    "  --json FILE           write machine, figures and every sample\n"
    "  --plot FILE.svg       draw the figures (needs gnuplot)\n"
    "\n"
    "Fetching, without --connect from a server of our own that thinks 10 ms:\n"
    "  --connect HOST:PORT   from this server; [ADDRESS]:PORT for IPv6\n"
    "  --send FILE           what each request sends\n"
    "  --until TEXT          an answer ends with TEXT (default: when the\n"
    "                        server closes the connection)\n"
    "  --limit N             at most N connections at once\n"
    "  --timeout MS          for one request (default 10000)\n"
    "\n"
    "Reading: every file at and below the PATHs (default: where you stand),\n"
    "without hidden ones.\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0; 1 when something fails or comes out wrong; 2 for usage.\n";

/* Options without a letter. */
enum {
    OPTION_ONLY = 256,
    OPTION_QUICK,
    OPTION_RUNS,
    OPTION_JSON,
    OPTION_PLOT,
    OPTION_CONNECT,
    OPTION_SEND,
    OPTION_UNTIL,
    OPTION_LIMIT,
    OPTION_TIMEOUT,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"only", required_argument, NULL, OPTION_ONLY},
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"runs", required_argument, NULL, OPTION_RUNS},
    {"json", required_argument, NULL, OPTION_JSON},
    {"plot", required_argument, NULL, OPTION_PLOT},
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"send", required_argument, NULL, OPTION_SEND},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* A whole number of [1, max] from text, or 0 after a line on stderr. */
static unsigned long parse_number(const char *flag, const char *text,
                                  unsigned long max) {
    char *end;
    unsigned long number;

    errno = 0;
    number = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || *text == '-' || number < 1 ||
        number > max) {
        bench_wrong("%s '%s': a number from 1 to %lu is needed", flag, text,
                    max);
        return 0;
    }
    return number;
}

static int parse_only(char *list, options_t *options) {
    static char *const names[] = {"sleep", "fetch", "files", NULL};
    char *value;

    options->sleep = options->fetch = options->files = false;
    while (*list != '\0') {
        char *part = list;
        switch (getsubopt(&list, names, &value)) {
        case 0:
            options->sleep = true;
            break;
        case 1:
            options->fetch = true;
            break;
        case 2:
            options->files = true;
            break;
        default:
            bench_wrong("--only '%s': not one of sleep, fetch, files", part);
            return EXIT_USAGE;
        }
    }
    if (options->sleep || options->fetch || options->files)
        return GO_ON;
    bench_wrong("--only: needs one of sleep, fetch, files");
    return EXIT_USAGE;
}

/* HOST:PORT; an IPv6 address stands in brackets. */
static int parse_connect(const char *text, options_t *options) {
    const char *given = text;
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;

    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof(options->host)) {
        bench_wrong("--connect '%s': HOST:PORT is needed", given);
        return EXIT_USAGE;
    }
    memcpy(options->host, text, length);
    options->host[length] = '\0';
    options->connect = given;
    options->port = (int)parse_number("--connect's port", colon + 1, 65535);
    return options->port == 0 ? EXIT_USAGE : GO_ON;
}

/* The options that carry text. */
static int take_text(int option, char *text, options_t *options) {
    switch (option) {
    case OPTION_ONLY:
        return parse_only(text, options);
    case OPTION_CONNECT:
        return parse_connect(text, options);
    case OPTION_JSON:
        options->json = text;
        return GO_ON;
    case OPTION_PLOT:
        options->plot = text;
        return GO_ON;
    case OPTION_SEND:
        options->send = text;
        return GO_ON;
    case OPTION_UNTIL:
        options->until = text;
        return GO_ON;
    default: /* getopt_long has said what is wrong. */
        return EXIT_USAGE;
    }
}

static int take_option(int option, char *text, options_t *options) {
    switch (option) {
    case OPTION_QUICK:
        options->quick = true;
        return GO_ON;
    case OPTION_RUNS:
        options->runs = parse_number("--runs", text, 1000);
        return options->runs == 0 ? EXIT_USAGE : GO_ON;
    case OPTION_LIMIT:
        options->limit = parse_number("--limit", text, 1000000);
        return options->limit == 0 ? EXIT_USAGE : GO_ON;
    case OPTION_TIMEOUT:
        options->timeout_ms = parse_number("--timeout", text, 86400000);
        return options->timeout_ms == 0 ? EXIT_USAGE : GO_ON;
    case OPTION_HELP:
        fputs(help_text, stdout);
        return EXIT_SUCCESS;
    case OPTION_VERSION:
        printf("uvawait-bench %s\n", uva_version());
        return EXIT_SUCCESS;
    default:
        return take_text(option, text, options);
    }
}

/* What is wrong with the options together, or NULL. */
static const char *find_conflict(const options_t *options) {
    bool connects = options->connect != NULL;
    size_t until = options->until != NULL ? strlen(options->until) : 1;

    if (connects && options->send == NULL)
        return "--connect needs --send FILE: what is it to ask?";
    if (!connects && (options->send != NULL || options->until != NULL))
        return "--send and --until need --connect HOST:PORT";
    if (connects && !options->fetch)
        return "--connect is for the job fetch, which --only leaves out";
    if (options->paths[0] != NULL && !options->files)
        return "PATHs are for the job files, which --only leaves out";
    if (until == 0 || until > UNTIL_BYTES_MAX)
        return "--until needs 1 to 255 bytes";
    return NULL;
}

_Static_assert(UNTIL_BYTES_MAX == 255, "said in find_conflict");

int options_parse(int argc, char **argv, options_t *ret_options) {
    const char *conflict;
    int status = GO_ON;
    int option;

    *ret_options = (options_t){
        .sleep = true, .fetch = true, .files = true, .timeout_ms = 10000};
    argv[0] = program_invocation_short_name; /* For getopt's complaints. */
    while (status == GO_ON &&
           (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = take_option(option, optarg, ret_options);
    ret_options->paths = argv + optind;
    conflict = status == GO_ON ? find_conflict(ret_options) : NULL;
    if (conflict == NULL)
        return status;
    bench_wrong("%s", conflict);
    return EXIT_USAGE;
}
