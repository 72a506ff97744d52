/*
 * What: the counted texts of text.h. They belong to failures and diagnostics,
 * so they come from malloc, not from the pools.
 */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uva__text_t *new_text(size_t length) {
    uva__text_t *text = malloc(sizeof *text + length + 1);
    if (text != NULL)
        text->refs = 1;
    return text;
}

uva__text_t *uva__text_new(const char *chars) {
    if (chars == NULL)
        return NULL;
    size_t length = strlen(chars);
    uva__text_t *text = new_text(length);
    if (text != NULL)
        memcpy(text->chars, chars, length + 1);
    return text;
}

uva__text_t *uva__text_format(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return NULL;
    uva__text_t *text = new_text((size_t)length);
    if (text != NULL)
        (void)vsnprintf(text->chars, (size_t)length + 1, format, arguments);
    return text;
}

void uva__text_drop(uva__text_t *text) {
    if (--text->refs == 0)
        free(text);
}
