/*
 * What Python has built in and the seed programs print: formatted texts as
 * values, and lists.
 */
#ifndef SEEDS_REPR_H
#define SEEDS_REPR_H

#include <uvawait/async.h>

#include <stdarg.h>
#include <stdio.h>

typedef struct text {
    char chars[32];
} text_t;

/* A formatted text, cut off where it is too long. */
__attribute__((unused, format(printf, 1, 2))) static text_t
text(const char *format, ...) {
    text_t text;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text.chars, sizeof text.chars, format, arguments);
    va_end(arguments);
    return text;
}

__attribute__((unused)) static void print_texts(const text_t *list,
                                                size_t count) {
    for (size_t i = 0; i < count; i++)
        printf("%s'%s'", i == 0 ? "[" : ", ", list[i].chars);
    puts(count > 0 ? "]" : "[]");
}

__attribute__((unused)) static void print_ints(const int *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        printf("%s%d", i == 0 ? "[" : ", ", list[i]);
    puts(count > 0 ? "]" : "[]");
}

#endif
