/**
 * What the macros of uvawait/async.h expand to. Included by it; nothing here is
 * for users.
 *
 * An async function `name` with the result type T becomes
 *
 *     name__result     T, or uva_nothing_t for void
 *     struct name      what calling it gives: the coroutine, or a handle
 *     name__body       the body, with the parameters as they were written and
 *                      the place of its result
 *     name__call       runs the body of a coroutine, as a call
 *     name__run        runs the body of a task
 *     name__async      what the runtime must know of it
 *     name()           makes the coroutine
 *
 * In `UVA_AWAIT(name(1, 2))` the compiler sees a struct made and taken apart
 * again, and what is left is the call of the body.
 */
#ifndef UVAWAIT_ASYNC_EXPAND_H
#define UVAWAIT_ASYNC_EXPAND_H

/* clang-format off */

#define UVA__PASTE_(a, b) a##b
#define UVA__PASTE(a, b)  UVA__PASTE_(a, b)
#define UVA__COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, count, \
                    ...) \
    count
#define UVA__COUNT(...) \
    UVA__COUNT_(__VA_ARGS__, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, \
                3, 2, 1, 0)
#define UVA__SPREAD(...) __VA_ARGS__
#define UVA__FAILED(code) __builtin_expect((code) < 0, 0)

/* ---- declaring ----------------------------------------------------------- */

/* A parameter "(type, name)" as a field, a parameter, a name, and a field's
 * value. */
#define UVA__FIELD(type, name) type name;
#define UVA__PARAM(type, name) type name
#define UVA__NAME(type, name)  name
#define UVA__VALUE(type, name) self->args.name

/* E(link, T, name, (fields), (parameters of name()), (names), (further
 * parameters of the body), (their values)), by the number of parameters. */
#define UVA__ASYNC(E, link, T, ...) \
    UVA__PASTE(UVA__ASYNC_, UVA__COUNT(__VA_ARGS__))(E, link, T, __VA_ARGS__)
#define UVA__ASYNC_1(E, link, T, name) \
    E(link, T, name, (char none;), (void), (0), (), ())
#define UVA__ASYNC_2(E, link, T, name, a) \
    E(link, T, name, (UVA__FIELD a), (UVA__PARAM a), (UVA__NAME a), \
      (, UVA__PARAM a), (, UVA__VALUE a))
#define UVA__ASYNC_3(E, link, T, name, a, b) \
    E(link, T, name, (UVA__FIELD a UVA__FIELD b), \
      (UVA__PARAM a, UVA__PARAM b), (UVA__NAME a, UVA__NAME b), \
      (, UVA__PARAM a, UVA__PARAM b), (, UVA__VALUE a, UVA__VALUE b))
#define UVA__ASYNC_4(E, link, T, name, a, b, c) \
    E(link, T, name, (UVA__FIELD a UVA__FIELD b UVA__FIELD c), \
      (UVA__PARAM a, UVA__PARAM b, UVA__PARAM c), \
      (UVA__NAME a, UVA__NAME b, UVA__NAME c), \
      (, UVA__PARAM a, UVA__PARAM b, UVA__PARAM c), \
      (, UVA__VALUE a, UVA__VALUE b, UVA__VALUE c))
#define UVA__ASYNC_5(E, link, T, name, a, b, c, d) \
    E(link, T, name, (UVA__FIELD a UVA__FIELD b UVA__FIELD c UVA__FIELD d), \
      (UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d), \
      (UVA__NAME a, UVA__NAME b, UVA__NAME c, UVA__NAME d), \
      (, UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d), \
      (, UVA__VALUE a, UVA__VALUE b, UVA__VALUE c, UVA__VALUE d))
#define UVA__ASYNC_6(E, link, T, name, a, b, c, d, e) \
    E(link, T, name, \
      (UVA__FIELD a UVA__FIELD b UVA__FIELD c UVA__FIELD d UVA__FIELD e), \
      (UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, UVA__PARAM e), \
      (UVA__NAME a, UVA__NAME b, UVA__NAME c, UVA__NAME d, UVA__NAME e), \
      (, UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, \
       UVA__PARAM e), \
      (, UVA__VALUE a, UVA__VALUE b, UVA__VALUE c, UVA__VALUE d, \
       UVA__VALUE e))
#define UVA__ASYNC_7(E, link, T, name, a, b, c, d, e, f) \
    E(link, T, name, \
      (UVA__FIELD a UVA__FIELD b UVA__FIELD c UVA__FIELD d UVA__FIELD e \
       UVA__FIELD f), \
      (UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, UVA__PARAM e, \
       UVA__PARAM f), \
      (UVA__NAME a, UVA__NAME b, UVA__NAME c, UVA__NAME d, UVA__NAME e, \
       UVA__NAME f), \
      (, UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, UVA__PARAM e, \
       UVA__PARAM f), \
      (, UVA__VALUE a, UVA__VALUE b, UVA__VALUE c, UVA__VALUE d, UVA__VALUE e, \
       UVA__VALUE f))
#define UVA__ASYNC_8(E, link, T, name, a, b, c, d, e, f, g) \
    E(link, T, name, \
      (UVA__FIELD a UVA__FIELD b UVA__FIELD c UVA__FIELD d UVA__FIELD e \
       UVA__FIELD f UVA__FIELD g), \
      (UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, UVA__PARAM e, \
       UVA__PARAM f, UVA__PARAM g), \
      (UVA__NAME a, UVA__NAME b, UVA__NAME c, UVA__NAME d, UVA__NAME e, \
       UVA__NAME f, UVA__NAME g), \
      (, UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, UVA__PARAM e, \
       UVA__PARAM f, UVA__PARAM g), \
      (, UVA__VALUE a, UVA__VALUE b, UVA__VALUE c, UVA__VALUE d, UVA__VALUE e, \
       UVA__VALUE f, UVA__VALUE g))
#define UVA__ASYNC_9(E, link, T, name, a, b, c, d, e, f, g, h) \
    E(link, T, name, \
      (UVA__FIELD a UVA__FIELD b UVA__FIELD c UVA__FIELD d UVA__FIELD e \
       UVA__FIELD f UVA__FIELD g UVA__FIELD h), \
      (UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, UVA__PARAM e, \
       UVA__PARAM f, UVA__PARAM g, UVA__PARAM h), \
      (UVA__NAME a, UVA__NAME b, UVA__NAME c, UVA__NAME d, UVA__NAME e, \
       UVA__NAME f, UVA__NAME g, UVA__NAME h), \
      (, UVA__PARAM a, UVA__PARAM b, UVA__PARAM c, UVA__PARAM d, UVA__PARAM e, \
       UVA__PARAM f, UVA__PARAM g, UVA__PARAM h), \
      (, UVA__VALUE a, UVA__VALUE b, UVA__VALUE c, UVA__VALUE d, UVA__VALUE e, \
       UVA__VALUE f, UVA__VALUE g, UVA__VALUE h))

#define UVA__ASYNC_10(...) \
    _Static_assert(0, "an async function has at most eight parameters")
#define UVA__ASYNC_11 UVA__ASYNC_10
#define UVA__ASYNC_12 UVA__ASYNC_10

/* T, or what stands for void. */
#define UVA__RESULT(T) \
    __typeof__(*_Generic((T *)0, void *: (uva_nothing_t *)0, default: (T *)0))

/* Of a value; there is nothing to copy of that which stands for void. */
#define UVA__BYTES(T) \
    (__builtin_types_compatible_p(T, uva_nothing_t) ? 0 : sizeof(T))

#define UVA__BODY(name, more) \
    name##__body(name##__result *const uva_result UVA__SPREAD more)

#define UVA__DECLARE(link, T, name, fields, params, names, more, values) \
    typedef UVA__RESULT(T) name##__result; \
    struct name { \
        uva_future_t *future;     /* of a handle; NULL in a coroutine */ \
        const uva_async_t *async; /* of a coroutine; NULL in a handle */ \
        int (*call)(const struct name *self, name##__result *ret_result); \
        union { \
            struct { UVA__SPREAD fields } args; \
            name##__result *type; /* never read: names the type */ \
        }; \
    }; \
    link int UVA__BODY(name, more); \
    __attribute__((unused)) static inline int name##__call( \
        const struct name *self, name##__result *ret_result) { \
        (void)self; \
        int code = name##__body(ret_result UVA__SPREAD values); \
        return UVA__FAILED(code) ? uva_async_failed(code) : code; \
    } \
    struct name##__frame { \
        struct name self; \
        name##__result result; \
    }; \
    _Static_assert(_Alignof(struct name##__frame) <= _Alignof(max_align_t), \
                   "a value or parameter of " #name "() is aligned more than " \
                   "malloc() does"); \
    __attribute__((unused)) static int name##__run(void *arg) { \
        struct name##__frame *frame = (struct name##__frame *)arg; \
        const struct name *self = &frame->self; \
        (void)self; \
        __builtin_memset(&frame->result, 0, sizeof frame->result); \
        int code = name##__body(&frame->result UVA__SPREAD values); \
        return UVA__FAILED(code) ? uva_async_ended(code) : code; \
    } \
    __attribute__((unused)) static const uva_async_t name##__async = { \
        #name, \
        name##__run, \
        sizeof(struct name), \
        offsetof(struct name, args), \
        sizeof(((struct name *)0)->args), \
        sizeof(struct name##__frame), \
        offsetof(struct name##__frame, result), \
        UVA__BYTES(name##__result)}; \
    __attribute__((unused, warn_unused_result)) static inline \
    struct name name(UVA__SPREAD params) { \
        return (struct name){NULL, &name##__async, name##__call, \
                             {{UVA__SPREAD names}}}; \
    } \
    struct name

#define UVA__DEFINE(link, T, name, fields, params, names, more, values) \
    link int name##__body( \
        __attribute__((unused)) name##__result *const uva_result \
        UVA__SPREAD more)

/* ---- waiting ------------------------------------------------------------- */

#define UVA__CO(n)   UVA__PASTE(uva__coroutine_, n)
#define UVA__CODE(n) UVA__PASTE(uva__code_, n)
#define UVA__RET(n)  UVA__PASTE(uva__ret_, n)

/* The code of the coroutine in UVA__CO(n). Void has no value to be copied. */
#define UVA__PLACE(ret) \
    (__builtin_types_compatible_p(__typeof__(ret), uva_nothing_t *) \
         ? NULL : (void *)(ret))
#define UVA__WAIT(n, ret) \
    (UVA__CO(n).async != NULL \
         ? UVA__CO(n).call(&UVA__CO(n), (ret)) \
         : uva_await(UVA__CO(n).future, UVA__PLACE(ret)))

#define UVA__AWAIT_1(n, co) __extension__({ \
    __auto_type UVA__CO(n) = (co); \
    __typeof__(*UVA__CO(n).type) UVA__RET(n); \
    UVA__WAIT(n, &UVA__RET(n)); \
})

#define UVA__AWAIT_2(n, co, ret) __extension__({ \
    __auto_type UVA__CO(n) = (co); \
    __typeof__(UVA__CO(n).type) UVA__RET(n) = (ret); \
    UVA__WAIT(n, UVA__RET(n)); \
})

#define UVA__TRY(n, ...) __extension__({ \
    __auto_type UVA__CO(n) = (__VA_ARGS__); \
    __typeof__(*UVA__CO(n).type) UVA__RET(n) = {0}; \
    int UVA__CODE(n) = UVA__WAIT(n, &UVA__RET(n)); \
    if (UVA__FAILED(UVA__CODE(n))) \
        return uva_async_leave(UVA__CODE(n), uva__block); \
    UVA__RET(n); \
})

#define UVA__CHECK(n, ...) __extension__({ \
    int UVA__CODE(n) = (__VA_ARGS__); \
    if (UVA__FAILED(UVA__CODE(n))) \
        return uva_async_leave(UVA__CODE(n), uva__block); \
    UVA__CODE(n); \
})

/* The future of the coroutine in UVA__CO(n). */
#define UVA__OWN(n, site) \
    (UVA__CO(n).async != NULL \
         ? uva_async_coroutine_at(site, UVA__CO(n).async, &UVA__CO(n)) \
         : UVA__CO(n).future)

#define UVA__WAIT_FOR_2(n, site, co, timeout_ms) __extension__({ \
    __auto_type UVA__CO(n) = (co); \
    uva_wait_for(UVA__OWN(n, site), timeout_ms, NULL); \
})

#define UVA__WAIT_FOR_3(n, site, co, timeout_ms, ret) __extension__({ \
    __auto_type UVA__CO(n) = (co); \
    __typeof__(UVA__CO(n).type) UVA__RET(n) = (ret); \
    uva_wait_for(UVA__OWN(n, site), timeout_ms, UVA__RET(n)); \
})

/* ---- tasks --------------------------------------------------------------- */

/* Filled in where its size is known: no call of memcpy(). */
#define UVA__SPAWN(n, site, ...) __extension__({ \
    __auto_type UVA__CO(n) = (__VA_ARGS__); \
    if (UVA__CO(n).async != NULL) { \
        void *UVA__RET(n) = uva_async_begin_at(site, UVA__CO(n).async); \
        if (UVA__RET(n) != NULL) { \
            UVA__CO(n).future = *(uva_future_t **)UVA__RET(n); \
            *(__typeof__(UVA__CO(n)) *)UVA__RET(n) = UVA__CO(n); \
        } \
        UVA__CO(n).async = NULL; \
    } \
    UVA__CO(n); \
})

#define UVA__SPAWN_WITH(n, site, options, ...) __extension__({ \
    __auto_type UVA__CO(n) = (__VA_ARGS__); \
    if (UVA__CO(n).async != NULL) { \
        UVA__CO(n).future = uva_async_spawn_at( \
            site, options, UVA__CO(n).async, &UVA__CO(n)); \
        UVA__CO(n).async = NULL; \
    } \
    UVA__CO(n); \
})

#define UVA__GROUP_SPAWN(n, site, group, ...) __extension__({ \
    __auto_type UVA__CO(n) = (__VA_ARGS__); \
    uva_async_group_spawn_at(site, group, UVA__CO(n).async, &UVA__CO(n)); \
})

#define UVA__FUTURE(n, site, ...) __extension__({ \
    __auto_type UVA__CO(n) = (__VA_ARGS__); \
    UVA__OWN(n, site); \
})

#define UVA__SHIELD(n, site, ...) __extension__({ \
    __auto_type UVA__CO(n) = (__VA_ARGS__); \
    UVA__CO(n).future = uva_shield(UVA__OWN(n, site)); \
    UVA__CO(n).async = NULL; \
    UVA__CO(n); \
})

/* ---- several at once ----------------------------------------------------- */

/* Whether `ret` may take results of the coroutine in UVA__CO(n): it points to
 * its type, or is NULL. */
#define UVA__POINTER(ret) __typeof__(1 ? (ret) : (void *)0)
#define UVA__CHECK_RET(ret, type) \
    _Static_assert( \
        __builtin_types_compatible_p(UVA__POINTER(ret), __typeof__(type)) || \
            __builtin_types_compatible_p(UVA__POINTER(ret), void *), \
        "the results have another type than " #ret)

/* Of several coroutines, the kth from the end is in UVA__CO(UVA__NTH(n, k)).
 * All are there before the first becomes a future: one that is left by
 * UVA_TRY() leaves nothing behind. */
#define UVA__NTH(n, k) UVA__PASTE(n, _##k)
#define UVA__SET_ASIDE(n, ret, co) \
    __auto_type UVA__CO(n) = (co); \
    UVA__CHECK_RET(ret, UVA__CO(n).type);

#define UVA__EACH_1(n, r, a) \
    UVA__SET_ASIDE(UVA__NTH(n, 1), r, a)
#define UVA__EACH_2(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 2), r, a) UVA__EACH_1(n, r, __VA_ARGS__)
#define UVA__EACH_3(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 3), r, a) UVA__EACH_2(n, r, __VA_ARGS__)
#define UVA__EACH_4(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 4), r, a) UVA__EACH_3(n, r, __VA_ARGS__)
#define UVA__EACH_5(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 5), r, a) UVA__EACH_4(n, r, __VA_ARGS__)
#define UVA__EACH_6(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 6), r, a) UVA__EACH_5(n, r, __VA_ARGS__)
#define UVA__EACH_7(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 7), r, a) UVA__EACH_6(n, r, __VA_ARGS__)
#define UVA__EACH_8(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 8), r, a) UVA__EACH_7(n, r, __VA_ARGS__)
#define UVA__EACH_9(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 9), r, a) UVA__EACH_8(n, r, __VA_ARGS__)
#define UVA__EACH_10(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 10), r, a) UVA__EACH_9(n, r, __VA_ARGS__)
#define UVA__EACH_11(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 11), r, a) UVA__EACH_10(n, r, __VA_ARGS__)
#define UVA__EACH_12(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 12), r, a) UVA__EACH_11(n, r, __VA_ARGS__)
#define UVA__EACH_13(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 13), r, a) UVA__EACH_12(n, r, __VA_ARGS__)
#define UVA__EACH_14(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 14), r, a) UVA__EACH_13(n, r, __VA_ARGS__)
#define UVA__EACH_15(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 15), r, a) UVA__EACH_14(n, r, __VA_ARGS__)
#define UVA__EACH_16(n, r, a, ...) \
    UVA__SET_ASIDE(UVA__NTH(n, 16), r, a) UVA__EACH_15(n, r, __VA_ARGS__)

#define UVA__EACH_17(...) \
    _Static_assert(0, "at most sixteen coroutines; UVA_GATHER_ARRAY() takes " \
                      "as many as you like");
#define UVA__OWN_1(n, s) UVA__OWN(UVA__NTH(n, 1), s)
#define UVA__OWN_2(n, s) UVA__OWN(UVA__NTH(n, 2), s), UVA__OWN_1(n, s)
#define UVA__OWN_3(n, s) UVA__OWN(UVA__NTH(n, 3), s), UVA__OWN_2(n, s)
#define UVA__OWN_4(n, s) UVA__OWN(UVA__NTH(n, 4), s), UVA__OWN_3(n, s)
#define UVA__OWN_5(n, s) UVA__OWN(UVA__NTH(n, 5), s), UVA__OWN_4(n, s)
#define UVA__OWN_6(n, s) UVA__OWN(UVA__NTH(n, 6), s), UVA__OWN_5(n, s)
#define UVA__OWN_7(n, s) UVA__OWN(UVA__NTH(n, 7), s), UVA__OWN_6(n, s)
#define UVA__OWN_8(n, s) UVA__OWN(UVA__NTH(n, 8), s), UVA__OWN_7(n, s)
#define UVA__OWN_9(n, s) UVA__OWN(UVA__NTH(n, 9), s), UVA__OWN_8(n, s)
#define UVA__OWN_10(n, s) UVA__OWN(UVA__NTH(n, 10), s), UVA__OWN_9(n, s)
#define UVA__OWN_11(n, s) UVA__OWN(UVA__NTH(n, 11), s), UVA__OWN_10(n, s)
#define UVA__OWN_12(n, s) UVA__OWN(UVA__NTH(n, 12), s), UVA__OWN_11(n, s)
#define UVA__OWN_13(n, s) UVA__OWN(UVA__NTH(n, 13), s), UVA__OWN_12(n, s)
#define UVA__OWN_14(n, s) UVA__OWN(UVA__NTH(n, 14), s), UVA__OWN_13(n, s)
#define UVA__OWN_15(n, s) UVA__OWN(UVA__NTH(n, 15), s), UVA__OWN_14(n, s)
#define UVA__OWN_16(n, s) UVA__OWN(UVA__NTH(n, 16), s), UVA__OWN_15(n, s)
#define UVA__OWN_17(n, s) NULL

#define UVA__LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define UVA__GATHER(n, count, site, ret, ...) __extension__({ \
    UVA__PASTE(UVA__EACH_, count)(n, ret, __VA_ARGS__) \
    uva_future_t *UVA__CO(n)[] = {UVA__PASTE(UVA__OWN_, count)(n, site)}; \
    uva_gather(UVA__CO(n), UVA__LENGTH(UVA__CO(n)), ret); \
})

#define UVA__RACE(n, count, site, ret_index, ret, ...) __extension__({ \
    UVA__PASTE(UVA__EACH_, count)(n, ret, __VA_ARGS__) \
    uva_future_t *UVA__CO(n)[] = {UVA__PASTE(UVA__OWN_, count)(n, site)}; \
    uva_race(UVA__CO(n), UVA__LENGTH(UVA__CO(n)), ret_index, ret); \
})

#define UVA__GATHER_ARRAY(n, site, ret, coroutines, count) __extension__({ \
    const __auto_type UVA__CO(n) = &(coroutines)[0]; \
    UVA__CHECK_RET(ret, UVA__CO(n)->type); \
    uva_async_gather_at(site, UVA__CO(n), count, sizeof *UVA__CO(n), ret); \
})

/* Items are copied as they are, so the parameter must be of their very type; a
 * pointer may become another, as in a call. */
#define UVA__IS_POINTER(value) (__builtin_classify_type(value) == 5)
#define UVA__MAP(n, function, items, count, limit, ret) __extension__({ \
    const __auto_type UVA__CO(n) = &(items)[0]; \
    UVA__CHECK_RET(ret, function(*UVA__CO(n)).type); \
    _Static_assert( \
        __builtin_types_compatible_p( \
            __typeof__(function), \
            struct function(__typeof__(*UVA__CO(n)))) || \
            (UVA__IS_POINTER(*UVA__CO(n)) && \
             sizeof *UVA__CO(n) == sizeof(function(*UVA__CO(n)).args)), \
        "the items have another type than the parameter of " #function "()"); \
    uva_async_map(&function##__async, UVA__CO(n), count, limit, ret); \
})

/* ---- running ------------------------------------------------------------- */

#define UVA__RUN_1(n, site, options, co) __extension__({ \
    __auto_type UVA__CO(n) = (co); \
    uva_async_run_at(site, options, UVA__CO(n).async, &UVA__CO(n), NULL); \
})

#define UVA__RUN_2(n, site, options, co, ret) __extension__({ \
    __auto_type UVA__CO(n) = (co); \
    __typeof__(UVA__CO(n).type) UVA__RET(n) = (ret); \
    uva_async_run_at(site, options, UVA__CO(n).async, &UVA__CO(n), \
                     UVA__RET(n)); \
})

#define UVA__MAIN(n, site, ...) \
    int main(int argc, char *argv[]) { \
        (void)argc; \
        (void)argv; \
        return __extension__({ \
            __auto_type UVA__CO(n) = (__VA_ARGS__); \
            uva_async_main_at(site, UVA__CO(n).async, &UVA__CO(n)); \
        }); \
    } \
    struct uva_main

/* clang-format on */

#endif
