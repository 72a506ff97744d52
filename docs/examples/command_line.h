/*
 * What the example servers share of reading their command lines: numbers in a
 * range, and one message and status 2 for whatever is wrong.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static inline _Noreturn void die(const char *what, const char *text) {
    (void)fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
                  text);
    exit(2);
}

static inline size_t number(const char *text, size_t least, size_t most) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
        value < least || value > most)
        die("not a number in range", text);
    return (size_t)value;
}

/* Gives each option to set(settings, key, text). Their keys are 256 and more:
 * an option that is not in the table is '?'. */
static inline void
read_options(int count, char *texts[], const struct option *options,
             void (*set)(void *settings, int key, const char *text),
             void *settings) {
    int key;
    while ((key = getopt_long(count, texts, "", options, NULL)) >= 0)
        set(settings, key, optarg);
    if (optind < count)
        die("not an option", texts[optind]);
}

/* A connection is a descriptor: as many as the system allows. */
static inline void raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

#endif
