/*
 * What: dates of HTTP. How: strftime and strptime; the program stays in the "C"
 * locale, whose names of days and months are HTTP's.
 */
#include "http_date.h"

#include <stdio.h>

static const char form[] = "%a, %d %b %Y %H:%M:%S GMT";

void http_date_format(time_t moment, char ret_text[HTTP_DATE_BYTES]) {
    struct tm parts;
    if (gmtime_r(&moment, &parts) == NULL ||
        strftime(ret_text, HTTP_DATE_BYTES, form, &parts) == 0)
        ret_text[0] = '\0'; /* a year of more than four digits */
}

bool http_date_parse(text_t text, time_t *ret_moment) {
    char copy[HTTP_DATE_BYTES];
    struct tm parts = {0};
    if (text.bytes >= sizeof copy)
        return false;
    memcpy(copy, text.base, text.bytes);
    copy[text.bytes] = '\0';
    const char *end = strptime(copy, form, &parts);
    if (end == NULL || *end != '\0')
        return false;
    *ret_moment = timegm(&parts);
    return true;
}

text_t http_clock_field(http_clock_t *clock) {
    time_t now = time(NULL);
    if (now != clock->second || clock->bytes == 0) {
        char date[HTTP_DATE_BYTES];
        http_date_format(now, date);
        clock->second = now;
        clock->bytes = (size_t)snprintf(clock->field, sizeof clock->field,
                                        "Date: %s\r\n", date);
    }
    return (text_t){clock->field, clock->bytes};
}
