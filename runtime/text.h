/*
 * Texts that several hold: the messages of failures, the reasons of
 * cancellations, names. Counted; not thread safe, as nothing of a runtime is.
 */
#ifndef UVA__TEXT_H
#define UVA__TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct uva__text {
    uint32_t refs;
    char chars[];
} uva__text_t;

/* A new text, or NULL without memory or for NULL. */
uva__text_t *uva__text_new(const char *chars);
uva__text_t *uva__text_format(const char *format, va_list arguments);

/* One reference less. */
void uva__text_drop(uva__text_t *text);

/* NULL is fine in both, and usual. */
static inline uva__text_t *uva__text_ref(uva__text_t *text) {
    if (text != NULL)
        text->refs++;
    return text;
}
static inline void uva__text_unref(uva__text_t *text) {
    if (text != NULL)
        uva__text_drop(text);
}

/* Makes *place hold text (taken) instead of what it held. */
static inline void uva__text_put(uva__text_t **place, uva__text_t *text) {
    uva__text_t *old = *place;
    *place = text;
    uva__text_unref(old);
}

static inline const char *uva__text_chars(const uva__text_t *text) {
    return text != NULL ? text->chars : NULL;
}

#endif
