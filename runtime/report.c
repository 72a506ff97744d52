/*
 * What: how reports are made, and how the call sites behind them are read.
 *
 * A UVA_SITE is "file:line\targuments", the arguments as the user wrote them;
 * the parser knows brackets and quotes, so that a compound literal among them
 * does not shift what follows.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "watchdog.h"

_Thread_local uva_runtime_t *uva__thread_runtime;

static void deliver(const uva_runtime_t *rt, const char *text) {
    if (rt != NULL && rt->options.report != NULL) {
        uva__watchdog_lock(rt);
        rt->options.report(rt->options.report_arg, text);
        uva__watchdog_unlock(rt);
        return;
    }
    (void)fprintf(stderr, "uvawait: %s\n", text);
}

static void report(const uva_runtime_t *rt, const char *format,
                   va_list arguments) {
    uva__text_t *text = uva__text_format(format, arguments);
    deliver(rt, text != NULL ? text->chars : format);
    uva__text_unref(text);
}

void uva__report(const uva_runtime_t *rt, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(rt, format, arguments);
    va_end(arguments);
}

/* Nothing here needs memory: without it misuse is found, too. */
int uva__misuse(const char *call, const char *format, ...) {
    const uva_future_t *f = uva_current();
    char text[768];
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (f != NULL)
        (void)snprintf(text, sizeof text,
                       "%s: %s (in task '%.99s', spawned at %.*s)", call, what,
                       uva_name(f), uva__site_length(f->site), f->site);
    else
        (void)snprintf(text, sizeof text, "%s: %s", call, what);
    deliver(uva__thread_runtime, text);
    return UV_EPERM;
}

int uva__site_length(const char *site) {
    return site != NULL ? (int)strcspn(site, "\t") : 0;
}

/* One past the end of a quoted text that begins at `at`. */
static const char *skip_quoted(const char *at) {
    char quote = *at++;
    while (*at != '\0' && *at != quote)
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return *at != '\0' ? at + 1 : at;
}

/* The comma or the end that closes the argument at `at`. */
static const char *argument_end(const char *at) {
    int depth = 0;
    while (*at != '\0' && !(*at == ',' && depth == 0)) {
        if (*at == '"' || *at == '\'') {
            at = skip_quoted(at);
            continue;
        }
        depth += strchr("([{", *at) != NULL;
        depth -= strchr(")]}", *at) != NULL;
        at++;
    }
    return at;
}

const char *uva__site_argument(const char *site, unsigned nth,
                               int *ret_length) {
    if (site == NULL || site[uva__site_length(site)] == '\0')
        return NULL;
    const char *at = site + uva__site_length(site) + 1;
    for (; nth > 0; nth--) {
        at = argument_end(at);
        if (*at == '\0')
            return NULL;
        at++;
    }
    const char *end = argument_end(at);
    /* Brackets around all of it go; those of a call in it stay. */
    size_t opened = 0;
    for (; at < end && strchr(" \t\n&(", *at) != NULL; at++)
        opened += *at == '(';
    for (; end > at && strchr(opened > 0 ? " \t\n)" : " \t\n", end[-1]) != NULL;
         end--)
        opened -= end[-1] == ')';
    *ret_length = (int)(end - at);
    return *ret_length > 0 ? at : NULL;
}
