/*
 * Dates as HTTP writes them: "Sun, 06 Nov 1994 08:49:37 GMT".
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdbool.h>
#include <time.h>

#include "text.h"

enum { HTTP_DATE_BYTES = 32 };

/* The header field with the current date, made anew once a second. */
typedef struct http_clock {
    time_t second;
    char field[sizeof("Date: \r\n") + HTTP_DATE_BYTES];
    size_t bytes;
} http_clock_t;

/* Valid until the next call. */
text_t http_clock_field(http_clock_t *clock);

void http_date_format(time_t moment, char ret_text[HTTP_DATE_BYTES]);

/* False for what is no date. */
bool http_date_parse(text_t text, time_t *ret_moment);

#endif
