/**
 * Asynchronous iteration (GNU C): typed generators, for-loops over them and
 * over whatever has a next function, and collecting.
 *
 *     UVA_GENERATOR(int, counter, (int, stop)) {
 *         for (int i = 0; i < stop; i++) {
 *             UVA_CHECK(uva_sleep(100));
 *             UVA_YIELD(i);
 *         }
 *         return 0;
 *     }
 *
 *     UVA_FOR(int, number, counter(5))
 *         printf("%d\n", number);
 *
 * UVA_GENERATOR(int, counter, ...) makes `struct counter` and the function
 * counter(), as UVA_ASYNC() does: calling it runs nothing and owns nothing. The
 * loop runs it, and ends it however it is left, under a shield of 5 s in which
 * its clean-up may wait (uvawait/generator.h says what the end means to the
 * body; do not yield inside a scope or a group).
 *
 * The iterator protocol is a struct that begins with UVA_ITERATOR(): a function
 * `next` that gives 1 and an item, 0 at the end, or a failure; and `close`,
 * which may be NULL. The loop works on a copy of the struct:
 *
 *     struct countdown {
 *         UVA_ITERATOR(struct countdown, int);
 *         int left;
 *     };
 *     static int countdown_next(struct countdown *self, int *ret_item) {
 *         *ret_item = self->left--;
 *         return *ret_item > 0;
 *     }
 *
 *     struct countdown from_three = {.next = countdown_next, .left = 3};
 *     UVA_FOR(int, number, from_three)
 *         printf("%d\n", number);
 */
#ifndef UVAWAIT_ITERATE_H
#define UVAWAIT_ITERATE_H

#include "async.h"

UVA_BEGIN_DECLS

/* Private: a loop over an iterator, one over what ends first, and items that
 * are being collected. */
typedef struct uva_loop {
    void *iterator;
    int (*close)(void *iterator); /* may be NULL */
    int *ret_code;                /* of UVA_FOR_CODE(), else NULL */
    int code;                     /* of the last next() */
    bool is_over;
} uva_loop_t;

typedef struct uva_completions {
    const char *site;
    const void *coroutines; /* as many as count, each of so many bytes */
    size_t count;
    size_t self_bytes;
    bool is_over;
    uva_future_t **futures; /* owned; NULL before the first is asked for */
    uva_as_completed_t it;
} uva_completions_t;

typedef struct uva_collection {
    void *items;
    size_t count;
    size_t room;
} uva_collection_t;

/* Behind the macros. The end of a loop gives `code` if that is a failure, else
 * what closing gives; leaving is an end out of turn. */
UVA_API UVA_PARKS int uva_async_loop_end(uva_loop_t *loop, int code);
UVA_API UVA_PARKS void uva_async_loop_leave(uva_loop_t *loop);
UVA_API UVA_PARKS int uva_async_completions_next(uva_completions_t *completions,
                                                 void *ret_item);
UVA_API UVA_PARKS void
uva_async_completions_end(uva_completions_t *completions);
UVA_API UVA_PARKS void
uva_async_completions_leave(uva_completions_t *completions);
UVA_API int uva_async_collect(uva_collection_t *collection, const void *item,
                              size_t item_bytes);
UVA_API void uva_async_collection_free(uva_collection_t *collection);

UVA_END_DECLS

#if defined(__GNUC__) && !defined(__cplusplus)

/* ---- iterators ----------------------------------------------------------- */

/* The first members of an iterator `Self` of items `T`. */
#define UVA_ITERATOR(Self, T) \
    int (*next)(Self * self, T * ret_item); \
    int (*close)(void *self)

/* A generator of this file: items of type T, parameters "(type, name)". What
 * follows is its body. UVA_GENERATOR_DECLARE() and _DEFINE() are for headers,
 * as those of UVA_ASYNC(). */
#define UVA_GENERATOR(T, ...) \
    UVA__ASYNC(UVA__GENERATOR_DECLARE, static, T, __VA_ARGS__); \
    UVA__ASYNC(UVA__GENERATOR_DEFINE, static, T, __VA_ARGS__)
#define UVA_GENERATOR_DECLARE(T, ...) \
    UVA__ASYNC(UVA__GENERATOR_DECLARE, , T, __VA_ARGS__)
#define UVA_GENERATOR_DEFINE(T, ...) \
    UVA__ASYNC(UVA__GENERATOR_DEFINE, , T, __VA_ARGS__)

/* Hands out an item; returns from the body once the generator is closed. */
#define UVA_YIELD(...) \
    ((void)UVA_CHECK((*uva_item = (__VA_ARGS__), uva_emit(uva_item))))

/* ---- loops --------------------------------------------------------------- */

/* For each item of an iterator: `UVA_FOR(int, number, counter(5)) { ... }`. A
 * failure of the iterator, or of its end, is returned from the function that
 * the loop stands in. */
#define UVA_FOR(T, item, ...) UVA__FOR(__COUNTER__, T, item, __VA_ARGS__)

/* The same; a failure ends the loop and is put into *ret_code, which else gets
 * 0. */
#define UVA_FOR_CODE(ret_code, T, item, ...) \
    UVA__FOR_CODE(__COUNTER__, ret_code, T, item, __VA_ARGS__)

/* For the result of each of an array of coroutines or handles, in the order in
 * which they end: UVA_FOR_COMPLETED(int, value, tasks, count). It takes them: a
 * failure is returned as by UVA_FOR(), and what has not come when the loop is
 * left is cancelled and awaited. */
#define UVA_FOR_COMPLETED(T, item, coroutines, count) \
    UVA__FOR_COMPLETED(__COUNTER__, T, item, coroutines, count)

/* ---- collecting ---------------------------------------------------------- */

/* UVA_COLLECT(&items, &count, iterator): all items in one array; a code. The
 * array is the caller's, to be given to free(). After a failure both are
 * untouched. */
#define UVA_COLLECT(ret_items, ret_count, ...) \
    UVA__COLLECT(__COUNTER__, ret_items, ret_count, __VA_ARGS__)

/* UVA_COLLECT_MAP(&results, &count, expression, T, item, iterator): the value
 * of the expression, with `item` in it, for each item. The expression may await
 * with UVA_TRY(). */
#define UVA_COLLECT_MAP(ret_items, ret_count, expression, T, item, ...) \
    UVA__COLLECT_MAP(__COUNTER__, ret_items, ret_count, expression, T, item, \
                     __VA_ARGS__)

/* clang-format off */

/* ---- expansion ----------------------------------------------------------- */

#define UVA__GENERATOR_BODY(name, more) \
    name##__body(name##__item *const uva_item UVA__SPREAD more)

#define UVA__GENERATOR_DECLARE(link, T, name, fields, params, names, more, \
                               values) \
    typedef T name##__item; \
    struct name { \
        UVA_ITERATOR(struct name, name##__item); \
        struct { UVA__SPREAD fields } args; \
        uva_generator_t *generator; \
        name##__item item; \
        bool is_closed; \
    }; \
    link int UVA__GENERATOR_BODY(name, more); \
    __attribute__((unused)) static int name##__run(void *arg) { \
        struct name *self = (struct name *)arg; \
        int code = name##__body(&self->item UVA__SPREAD values); \
        return UVA__FAILED(code) ? uva_async_failed(code) : code; \
    } \
    __attribute__((unused)) static int name##__next( \
        struct name *self, name##__item *ret_item) { \
        if (self->generator == NULL && !self->is_closed) \
            self->generator = uva_generate_at( \
                UVA_SITE(#name), name##__run, self, sizeof self->item); \
        return self->is_closed ? 0 : uva_next(self->generator, ret_item); \
    } \
    __attribute__((unused)) static int name##__close(void *arg) { \
        struct name *self = (struct name *)arg; \
        self->is_closed = true; \
        return uva_generator_close(self->generator); \
    } \
    __attribute__((unused, warn_unused_result)) static inline \
    struct name name(UVA__SPREAD params) { \
        return (struct name){.next = name##__next, \
                             .close = name##__close, \
                             .args = {UVA__SPREAD names}}; \
    } \
    struct name

#define UVA__GENERATOR_DEFINE(link, T, name, fields, params, names, more, \
                              values) \
    link int name##__body( \
        __attribute__((unused)) name##__item *const uva_item UVA__SPREAD more)

#define UVA__IT(n)   UVA__PASTE(uva__iterator_, n)
#define UVA__LOOP(n) UVA__PASTE(uva__loop_, n)

/* The outer loops run once; a break leaves the innermost, and comes to the step
 * that ends the iteration. */
#define UVA__FOR_LOOP(n, T, item, ret, asks, step, ...) \
    for (__typeof__(__VA_ARGS__) UVA__IT(n) = (__VA_ARGS__); \
         UVA__IT(n).next != NULL; UVA__IT(n).next = NULL) \
        for (uva_loop_t UVA__LOOP(n) \
                 __attribute__((cleanup(uva_async_loop_leave))) = \
                     {&UVA__IT(n), UVA__IT(n).close, (ret), 0, false}; \
             !UVA__LOOP(n).is_over; step) \
            for (T item; asks;)

#define UVA__NEXT(n, item) \
    (UVA__LOOP(n).code = UVA__IT(n).next(&UVA__IT(n), &item))

#define UVA__FOR(n, T, item, ...) \
    UVA__FOR_LOOP(n, T, item, NULL, UVA_CHECK(UVA__NEXT(n, item)) > 0, \
                  (void)UVA_CHECK(uva_async_loop_end(&UVA__LOOP(n), 0)), \
                  __VA_ARGS__)

#define UVA__FOR_CODE(n, ret, T, item, ...) \
    UVA__FOR_LOOP(n, T, item, ret, \
                  (*UVA__LOOP(n).ret_code = UVA__NEXT(n, item)) > 0, \
                  *UVA__LOOP(n).ret_code = uva_async_loop_end( \
                      &UVA__LOOP(n), *UVA__LOOP(n).ret_code), __VA_ARGS__)

#define UVA__TYPED_ARRAY(n, T, coroutines) __extension__({ \
    const __auto_type UVA__CO(n) = &(coroutines)[0]; \
    UVA__CHECK_RET((T *)0, UVA__CO(n)->type); \
    UVA__CO(n); \
})

#define UVA__FOR_COMPLETED(n, T, item, array, number) \
    for (uva_completions_t UVA__LOOP(n) \
             __attribute__((cleanup(uva_async_completions_leave))) = \
                 {.site = UVA_SITE(""), \
                  .coroutines = UVA__TYPED_ARRAY(n, T, array), \
                  .count = (number), \
                  .self_bytes = sizeof((array)[0])}; \
         !UVA__LOOP(n).is_over; \
         uva_async_completions_end(&UVA__LOOP(n))) \
        for (T item; UVA_CHECK(uva_async_completions_next( \
                         &UVA__LOOP(n), &item)) > 0;)

#define UVA__COLLECT_MAP(n, ret_items, ret_count, expression, T, item, ...) \
__extension__({ \
    uva_collection_t UVA__CO(n) \
        __attribute__((cleanup(uva_async_collection_free))) = {NULL, 0, 0}; \
    int UVA__CODE(n) = 0; \
    UVA__FOR_CODE(n, &UVA__CODE(n), T, item, __VA_ARGS__) { \
        __typeof__(**(ret_items)) UVA__RET(n) = (expression); \
        UVA__CODE(n) = uva_async_collect(&UVA__CO(n), &UVA__RET(n), \
                                         sizeof UVA__RET(n)); \
        if (UVA__CODE(n) < 0) \
            break; \
    } \
    if (UVA__CODE(n) >= 0) { \
        *(ret_items) = UVA__CO(n).items; \
        *(ret_count) = UVA__CO(n).count; \
        UVA__CO(n).items = NULL; \
    } \
    UVA__CODE(n); \
})

#define UVA__COLLECT(n, ret_items, ret_count, ...) \
    UVA__COLLECT_MAP(n, ret_items, ret_count, UVA__PASTE(uva__item_, n), \
                     __typeof__(**(ret_items)), UVA__PASTE(uva__item_, n), \
                     __VA_ARGS__)

/* clang-format on */

#endif

#endif
