/*
 * mistakes.c - what the typed layer does not let through. mistakes.sh compiles
 * it once for each MISTAKE; above each stands what gcc's and clang's error must
 * say. "warns" instead of "says": it compiles, with that warning. Without a
 * MISTAKE it compiles under every warning there is, as the control.
 */
#include <uvawait/async.h>

#include <stdlib.h>

UVA_ASYNC(int, add, (int, x), (const char *, y)) {
    (void)y;
    UVA_RETURN(x);
}
UVA_ASYNC(double, half, (double, x)) {
    UVA_RETURN(x / 2);
}
UVA_ASYNC(int, twice, (int, x)) {
    UVA_RETURN(2 * x);
}
UVA_ASYNC(size_t, length, (const char *, text)) {
    size_t bytes = 0;
    while (text[bytes] != '\0')
        bytes++;
    UVA_RETURN(bytes);
}
UVA_GENERATOR(int, counter, (int, stop)) {
    for (int i = 0; i < stop; i++)
        UVA_YIELD(i);
    return 0;
}
UVA_ASYNC(void, nothing) {
    return 0;
}

/* ---- declaring ----------------------------------------------------------- */

#if MISTAKE == 1 /* a value of another type */
/* gcc says: incompatible types when assigning to type */
/* clang says: assigning to 'wrong_value__result' */
UVA_ASYNC(struct add, wrong_value) {
    UVA_RETURN("text");
}
#elif MISTAKE == 2 /* a value where there is none */
/* gcc says: incompatible types when assigning to type */
/* clang says: assigning to 'no_value__result' */
UVA_ASYNC(void, no_value) {
    UVA_RETURN(1);
}
#elif MISTAKE == 3 /* a pointer for a number */
/* gcc says: makes integer from pointer without a cast */
/* clang says: incompatible pointer to integer conversion */
UVA_ASYNC(int, pointer_value) {
    UVA_RETURN("text");
}
#elif MISTAKE == 4 /* an item of another type */
/* gcc says: makes integer from pointer without a cast */
/* clang says: incompatible pointer to integer conversion */
UVA_GENERATOR(int, wrong_item) {
    UVA_YIELD("text");
    return 0;
}
#elif MISTAKE == 5 /* nine parameters */
/* gcc says: an async function has at most eight parameters */
/* clang says: an async function has at most eight parameters */
UVA_ASYNC(int, nine, (int, a), (int, b), (int, c), (int, d), (int, e), (int, f),
          (int, g), (int, h), (int, i)) {
    UVA_RETURN(a);
}
#elif MISTAKE == 7 /* more alignment than a task's memory has */
/* gcc says: is aligned more than malloc() does */
/* clang says: is aligned more than malloc() does */
typedef struct line {
    _Alignas(64) char bytes[64];
} line_t;
UVA_ASYNC(void, takes_line, (line_t, line)) {
    return line.bytes[0];
}
#elif MISTAKE == 6 /* UVA_TRY() where no code can be returned */
/* gcc says: makes pointer from integer without a cast */
/* clang says: incompatible integer to pointer conversion */
char *not_a_code(void);
char *not_a_code(void) {
    UVA_TRY(nothing());
    return NULL;
}
#endif

/* ---- using --------------------------------------------------------------- */

UVA_ASYNC(void, calls) {
#if MISTAKE == 10 /* an argument: a pointer for a number */
    /* gcc says: passing argument 1 of 'add' makes integer from pointer */
    /* clang says: passing 'char[2]' to parameter of type 'int' */
    UVA_TRY(add("1", "b"));
#elif MISTAKE == 11 /* an argument: a number for a pointer */
    /* gcc says: passing argument 2 of 'add' makes pointer from integer */
    /* clang says: passing 'int' to parameter of type 'const char *' */
    UVA_TRY(add(1, 2));
#elif MISTAKE == 12 /* an argument too few */
    /* gcc says: too few arguments to function 'add' */
    /* clang says: too few arguments to function call, expected 2, have 1 */
    UVA_TRY(add(1));
#elif MISTAKE == 13 /* an argument too many */
    /* gcc says: too many arguments to function 'nothing' */
    /* clang says: too many arguments to function call, expected 0, have 1 */
    UVA_TRY(nothing(1));
#elif MISTAKE == 14 /* a coroutine that is dropped */
    /* gcc warns: [-Wunused-result] */
    /* clang warns: [-Wunused-result] */
    add(1, "b");
#elif MISTAKE == 15 /* a generator that is dropped */
    /* gcc warns: [-Wunused-result] */
    /* clang warns: [-Wunused-result] */
    counter(1);
#elif MISTAKE == 16 /* a coroutine that is kept and forgotten */
    /* gcc warns: [-Wunused-variable] */
    /* clang warns: [-Wunused-variable] */
    struct add forgotten = add(1, "b");
#endif
    return 0;
}

UVA_ASYNC(void, results) {
    double wide = 0;
    (void)wide;
#if MISTAKE == 17 /* a result of another type */
    /* gcc says: from incompatible pointer type 'double *' */
    /* clang says: with an expression of type 'double *' */
    UVA_CHECK(UVA_AWAIT(add(1, "b"), &wide));
#elif MISTAKE == 18
    /* gcc says: from incompatible pointer type 'double *' */
    /* clang says: with an expression of type 'double *' */
    UVA_CHECK(UVA_WAIT_FOR(add(1, "b"), 10, &wide));
#elif MISTAKE == 19
    /* gcc says: from incompatible pointer type 'double *' */
    /* clang says: with an expression of type 'double *' */
    UVA_CHECK(UVA_RUN(add(1, "b"), &wide));
#elif MISTAKE == 20
    /* gcc says: makes pointer from integer without a cast */
    /* clang says: incompatible integer to pointer conversion */
    char *text = UVA_TRY(add(1, "b"));
    (void)text;
#elif MISTAKE == 21 /* the handle of another function */
    /* gcc says: invalid initializer */
    /* clang says: initializing 'struct add' with an expression of */
    struct add task = UVA_SPAWN(half(1));
    UVA_TRY(task);
#elif MISTAKE == 22 /* no coroutine */
    /* gcc says: request for member 'async' in something not a structure */
    /* clang says: member reference base type 'int' is not a structure */
    UVA_TRY(uva_sleep(1));
#endif
    return 0;
}

UVA_ASYNC(void, several) {
    int ints[2];
    double wide = 0;
    struct add adds[2] = {add(1, "a"), add(2, "b")};
    (void)ints;
    (void)wide;
    (void)adds;
#if MISTAKE == 23 /* results of another type than the array's */
    /* gcc says: the results have another type than &wide */
    /* clang says: the results have another type than &wide */
    UVA_CHECK(UVA_GATHER(&wide, add(1, "b"), add(1, "b")));
#elif MISTAKE == 24 /* results of two types */
    /* gcc says: the results have another type than ints */
    /* clang says: the results have another type than ints */
    UVA_CHECK(UVA_GATHER(ints, add(1, "b"), half(1)));
#elif MISTAKE == 25
    /* gcc says: the results have another type than &wide */
    /* clang says: the results have another type than &wide */
    UVA_CHECK(UVA_GATHER_ARRAY(&wide, adds, 2));
#elif MISTAKE == 26
    /* gcc says: the results have another type than &wide */
    /* clang says: the results have another type than &wide */
    UVA_CHECK(UVA_RACE(NULL, &wide, add(1, "b"), add(1, "b")));
#elif MISTAKE == 27 /* seventeen coroutines */
    /* gcc says: at most sixteen coroutines */
    /* clang says: at most sixteen coroutines */
    UVA_CHECK(UVA_GATHER(NULL, half(1), half(2), half(3), half(4), half(5),
                         half(6), half(7), half(8), half(9), half(10), half(11),
                         half(12), half(13), half(14), half(15), half(16),
                         half(17)));
#endif
    return 0;
}

UVA_ASYNC(void, maps) {
    int items[2] = {1, 2};
    double wide = 0;
    (void)items;
    (void)wide;
#if MISTAKE == 28 /* a function of two parameters */
    /* gcc says: too few arguments to function 'add' */
    /* clang says: too few arguments to function call, expected 2, have 1 */
    UVA_CHECK(UVA_MAP(add, items, 2, 1, NULL));
#elif MISTAKE == 29 /* items that would have to be converted */
    /* gcc says: the items have another type than the parameter of half() */
    /* clang says: the items have another type than the parameter of half() */
    UVA_CHECK(UVA_MAP(half, items, 2, 1, NULL));
#elif MISTAKE == 30 /* the same, of one size */
    /* gcc says: the items have another type than the parameter of twice() */
    /* clang says: the items have another type than the parameter of twice() */
    float floats[2] = {1, 2};
    UVA_CHECK(UVA_MAP(twice, floats, 2, 1, NULL));
#elif MISTAKE == 31
    /* gcc says: the results have another type than &wide */
    /* clang says: the results have another type than &wide */
    UVA_CHECK(UVA_MAP(twice, items, 2, 1, &wide));
#elif MISTAKE == 32 /* pointers to another type */
    /* gcc says: argument 1 of 'length' from incompatible pointer type */
    /* clang says: incompatible pointer types passing */
    int *pointers[1] = {items};
    UVA_CHECK(UVA_MAP(length, pointers, 1, 1, NULL));
#endif
    return 0;
}

UVA_ASYNC(void, loops) {
    size_t count = 0;
    double wide = 0;
    struct add adds[2] = {add(1, "a"), add(2, "b")};
    (void)count;
    (void)wide;
    (void)adds;
#if MISTAKE == 33 /* another type of items */
    /* gcc says: from incompatible pointer type */
    /* clang says: incompatible pointer types passing */
    UVA_FOR(long, i, counter(3))
        (void)i;
#elif MISTAKE == 34
    /* gcc says: the results have another type than (long *)0 */
    /* clang says: the results have another type than (long *)0 */
    UVA_FOR_COMPLETED(long, value, adds, 2)
        (void)value;
#elif MISTAKE == 35
    /* gcc says: from incompatible pointer type */
    /* clang says: incompatible pointer types */
    UVA_FOR_CODE(&wide, int, i, counter(3))
        (void)i;
#elif MISTAKE == 36
    /* gcc says: from incompatible pointer type */
    /* clang says: incompatible pointer types passing */
    double *doubles;
    UVA_CHECK(UVA_COLLECT(&doubles, &count, counter(3)));
#endif
    return 0;
}

UVA_ASYNC(void, blocks) {
    double wide = 0;
    uva_lock_t lock;
    uva_lock_init(&lock);
    (void)wide;
#if MISTAKE == 37 /* a kind that there is not */
    /* gcc says: uva_with_file */
    /* clang says: uva_with_file */
    UVA_WITH(file, "name")
        UVA_CHECK(uva_yield());
#elif MISTAKE == 38 /* a block of another kind */
    /* gcc says: from incompatible pointer type 'uva_lock_t *' */
    /* clang says: with an expression of type 'uva_lock_t *' */
    UVA_WITH(semaphore, &lock)
        UVA_CHECK(uva_yield());
#elif MISTAKE == 39
    /* gcc says: from incompatible pointer type 'double *' */
    /* clang says: with an expression of type 'double *' */
    UVA_WITH_CODE(&wide, lock, &lock)
        UVA_CHECK(uva_yield());
#endif
    return 0;
}

/* ---- the control --------------------------------------------------------- */

UVA_ASYNC(void, correct_calls) {
    double wide = 0;
    size_t index = 0;
    int ints[2];
    struct add adds[2] = {add(1, "a"), add(2, "b")};
    UVA_TRY(add(1, "b"));
    UVA_TRY(nothing());
    UVA_CHECK(UVA_AWAIT(half(1), &wide));
    UVA_CHECK(UVA_WAIT_FOR(half(1), 10, &wide));
    UVA_CHECK(UVA_RACE(&index, &wide, half(1), half(2)));
    UVA_CHECK(UVA_GATHER(ints, add(1, "b"), twice(2)));
    UVA_CHECK(UVA_GATHER(NULL, add(1, "b"), half(1)));
    UVA_CHECK(UVA_GATHER_ARRAY(ints, adds, 2));
    struct half task = UVA_SPAWN(half(1));
    UVA_TRY(task);
    return 0;
}

UVA_ASYNC(void, correct_maps) {
    int items[2] = {1, 2};
    int ints[2];
    const char *words[] = {"one", "two"};
    char *own_words[1] = {NULL};
    const int constant[] = {1, 2};
    size_t lengths[2];
    UVA_CHECK(UVA_MAP(twice, items, 2, 1, ints));
    UVA_CHECK(UVA_MAP(twice, constant, 2, 1, NULL));
    UVA_CHECK(UVA_MAP(length, words, 2, 1, lengths));
    UVA_CHECK(UVA_MAP(length, own_words, 0, 1, NULL));
    return 0;
}

UVA_ASYNC(void, correct_blocks) {
    int code;
    int *all;
    size_t count;
    uva_lock_t lock;
    uva_lock_init(&lock);
    struct add adds[2] = {add(1, "a"), add(2, "b")};
    UVA_FOR(int, i, counter(3))
        (void)i;
    UVA_FOR_COMPLETED(int, value, adds, 2)
        (void)value;
    UVA_FOR_CODE(&code, int, i, counter(3))
        (void)i;
    UVA_CHECK(code);
    UVA_CHECK(UVA_COLLECT(&all, &count, counter(3)));
    free(all);
    UVA_WITH(lock, &lock)
        UVA_WITH(timeout, 10)
            UVA_CHECK(uva_yield());
    UVA_WITH_CODE(&code, shield, UVA_FOREVER)
        UVA_CHECK(uva_yield());
    return 0;
}

UVA_ASYNC(void, control) {
    UVA_TRY(calls());
    UVA_TRY(results());
    UVA_TRY(several());
    UVA_TRY(maps());
    UVA_TRY(loops());
    UVA_TRY(blocks());
    UVA_TRY(correct_calls());
    UVA_TRY(correct_maps());
    UVA_TRY(correct_blocks());
    return 0;
}

int main(void) {
    return UVA_RUN(control()) < 0;
}
