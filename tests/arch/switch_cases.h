/*
 * switch_cases.h - what every switch must do, whatever the ABI: shared by
 * tests/test_arch.c, which runs it as cases of check, and by switch_check.c,
 * which needs nothing but libc and so runs under an emulator too.
 *
 * Each case returns NULL, or in words what is wrong. All go through fiber.h, so
 * that sanitizers and valgrind follow. Included once a program.
 */
#ifndef TESTS_ARCH_SWITCH_CASES_H
#define TESTS_ARCH_SWITCH_CASES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "arch/registers.h"
#include "runtime/fiber.h"

/* ---- fibers to switch between ------------------------------------------- */

/* Above its top lies what an unwinder that goes too far takes for callers. */
enum { STRAND_BYTES = 512 * 1024, ABOVE_BYTES = 256 };

typedef struct strand {
    uva__fiber_t fiber;
    void (*body)(struct strand *strand);
    char *memory;
    uint64_t state; /* the body's own */
    unsigned rounds;
    bool over;
    const char *wrong; /* what the body found */
} strand_t;

/* The thread's own stack, on which the cases run. */
static uva__fiber_t home;

/* From the strand back to the case. */
static void go_home(strand_t *strand) {
    uva__fiber_switch(&strand->fiber, &home);
}

static void strand_main(void *arg) {
    strand_t *strand = arg;
    uva__fiber_entered(&strand->fiber);
    strand->body(strand);
    strand->over = true;
#if UVA__FIBER_NEEDS_RETIRE
    uva__fiber_leave(&strand->fiber, &home);
#else
    go_home(strand);
#endif
    abort();
}

static void strand_init(strand_t *strand, void (*body)(strand_t *strand)) {
    *strand = (strand_t){.body = body};
    strand->memory = malloc(STRAND_BYTES + ABOVE_BYTES);
    if (strand->memory == NULL)
        abort();
    for (size_t at = 0; at < ABOVE_BYTES; at += sizeof(uintptr_t))
        memcpy(strand->memory + STRAND_BYTES + at,
               &(uintptr_t){(uintptr_t)strand_main + 8}, sizeof(uintptr_t));
    uva__fiber_init(&strand->fiber, strand->memory, STRAND_BYTES, strand_main,
                    strand);
}

static void strand_run(strand_t *strand) {
    uva__fiber_switch(&home, &strand->fiber);
}

/* Lets it come to its end, in not too many turns, and tells what it found. */
static const char *strand_finish(strand_t *strand) {
    for (int turns = 0; !strand->over && turns < 1000; turns++)
        strand_run(strand);
    uva__fiber_term(&strand->fiber);
    free(strand->memory);
    if (!strand->over)
        return "a fiber did not come to its end";
    return strand->wrong;
}

/* ---- callee-saved registers --------------------------------------------- */

#if !defined(REGISTERS_UNKNOWN)

/* The calls under test: the bare switches; with a sanitizer, which must be
 * told, the switch of fibers. */
typedef void (*hop_fn)(void *from, void *to);

#if UVA__ASAN || UVA__TSAN
static void hop(void *from, void *to) {
    uva__fiber_switch(from, to);
}
#define hop_to_loop   hop
#define hop_from_loop hop
#else
static void hop(void *from, void *to) {
    uva__fiber_t *left = from;
    const uva__fiber_t *next = to;
    uva__switch(&left->sp, next->sp);
}

static void hop_to_loop(void *from, void *to) {
    uva__fiber_t *left = from;
    const uva__fiber_t *next = to;
    uva__switch_to_loop(&left->sp, next->sp);
}

static void hop_from_loop(void *from, void *to) {
    uva__fiber_t *left = from;
    const uva__fiber_t *next = to;
    uva__switch_from_loop(&left->sp, next->sp);
}
#endif

/* Makes the call with registers full of a pattern and compares. */
static const char *keep_registers(uint64_t seed, hop_fn call,
                                  uva__fiber_t *from, uva__fiber_t *to) {
    static char wrong[80];
    uint64_t before[REGISTERS];
    uint64_t after[REGISTERS];
    for (unsigned i = 0; i < REGISTERS; i++)
        before[i] = seed * UINT64_C(0x9e3779b97f4a7c15) + i * UINT64_C(0x0101);
    memset(after, 0, sizeof after);
    registers_across(after, before, call, from, to);
    for (unsigned i = 0; i < REGISTERS; i++) {
        if (after[i] == before[i])
            continue;
        (void)snprintf(wrong, sizeof wrong,
                       "callee-saved register %u held %#llx, then %#llx", i,
                       (unsigned long long)before[i],
                       (unsigned long long)after[i]);
        return wrong;
    }
    return NULL;
}

enum { REGISTER_ROUNDS = 5 };

static void registers_body(strand_t *strand) {
    for (unsigned i = 0; i < REGISTER_ROUNDS && strand->wrong == NULL; i++)
        strand->wrong = keep_registers(1000 + i, hop, &strand->fiber, &home);
}

static void registers_loop_body(strand_t *strand) {
    for (unsigned i = 0; i < REGISTER_ROUNDS && strand->wrong == NULL; i++)
        strand->wrong =
            keep_registers(2000 + i, hop_from_loop, &strand->fiber, &home);
}

static const char *keep_all_registers(void (*body)(strand_t *strand),
                                      hop_fn call) {
    strand_t strand;
    const char *wrong = NULL;
    strand_init(&strand, body);
    for (unsigned i = 0; i < REGISTER_ROUNDS && wrong == NULL; i++)
        wrong = keep_registers(i, call, &home, &strand.fiber);
    const char *found = strand_finish(&strand);
    return wrong != NULL ? wrong : found;
}

static const char *case_registers(void) {
    return keep_all_registers(registers_body, hop);
}

static const char *case_registers_loop(void) {
    return keep_all_registers(registers_loop_body, hop_to_loop);
}

/* ---- alignment at entry ------------------------------------------------- */

typedef struct probe {
    uintptr_t sp; /* must be first: entry_probe writes it */
    uva__fiber_t fiber;
} probe_t;

void entry_probed(void *arg) {
    probe_t *probe = arg;
    uva__fiber_entered(&probe->fiber);
#if UVA__FIBER_NEEDS_RETIRE
    uva__fiber_leave(&probe->fiber, &home);
#else
    uva__fiber_switch(&probe->fiber, &home);
#endif
    abort();
}

/* The top of the stack need not be aligned for the entry to be. */
static const char *case_alignment(void) {
    char *memory = malloc(STRAND_BYTES);
    const char *wrong = NULL;
    if (memory == NULL)
        return "no memory";
    for (size_t cut = 0; cut < 40 && wrong == NULL; cut++) {
        probe_t probe = {.sp = 0};
        uva__fiber_init(&probe.fiber, memory, STRAND_BYTES - cut, entry_probe,
                        &probe);
        uva__fiber_switch(&home, &probe.fiber);
        uva__fiber_term(&probe.fiber);
        if (probe.sp % 16 != SP_AT_ENTRY)
            wrong = "the stack is not aligned at entry";
        if (probe.sp <= (uintptr_t)memory ||
            probe.sp > (uintptr_t)memory + STRAND_BYTES - cut)
            wrong = "the entry did not run on the stack it was given";
    }
    free(memory);
    return wrong;
}

#endif

/* ---- floating-point control words --------------------------------------- */

#if defined(__x86_64__)

/* Rounding: bits 13 and 14 of mxcsr, 10 and 11 of the x87 control word. */
enum { NEAREST, DOWN, UP, ZERO };

static void set_rounding(unsigned mode) {
    uint32_t mxcsr = 0;
    uint16_t x87 = 0;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    mxcsr = (mxcsr & ~UINT32_C(0x6000)) | mode << 13;
    x87 = (uint16_t)((x87 & ~0x0c00u) | mode << 10);
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

static bool has_rounding(unsigned mode) {
    uint32_t mxcsr = 0;
    uint16_t x87 = 0;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    return (mxcsr >> 13 & 3) == mode && (x87 >> 10 & 3) == mode;
}

static void rounding_body(strand_t *strand) {
    if (!has_rounding(DOWN))
        strand->wrong = "a new fiber has not the rounding of who made it";
    set_rounding(UP);
    for (int i = 0; i < 3 && strand->wrong == NULL; i++) {
        go_home(strand);
        if (!has_rounding(UP))
            strand->wrong = "a fiber lost its rounding mode";
    }
}

static const char *case_rounding(void) {
    strand_t strand;
    const char *wrong = NULL;
    set_rounding(DOWN);
    strand_init(&strand, rounding_body);
    for (unsigned mode = NEAREST; mode <= ZERO && wrong == NULL; mode++) {
        set_rounding(mode);
        strand_run(&strand);
        if (!has_rounding(mode))
            wrong = "the rounding mode of a fiber came to another";
    }
    set_rounding(NEAREST);
    const char *found = strand_finish(&strand);
    return wrong != NULL ? wrong : found;
}

#endif

/* ---- many switches ------------------------------------------------------ */

enum { RING = 3 };

/* A generator whose whole state lives in the fiber's registers. */
static uint64_t step(uint64_t state, uint64_t round) {
    return (state ^ round) * UINT64_C(6364136223846793005) + (state >> 33);
}

static strand_t ring[RING];

/* Straight on to the next of the ring, the loop's stack left alone. */
static void ring_body(strand_t *strand) {
    strand_t *next = &ring[(strand - ring + 1) % RING];
    uint64_t a = strand->state;
    uint64_t b = ~strand->state;
    double sum = 0;
    for (unsigned i = 0; i < strand->rounds; i++) {
        uva__fiber_switch(&strand->fiber, &next->fiber);
        a = step(a, i);
        b = step(b, a);
        sum += (double)(a & 0xff);
    }
    strand->state = a ^ b ^ (uint64_t)sum;
    /* The last to come round is the first that began; each lets the next one
     * end before it does. */
    if (next != ring)
        uva__fiber_switch(&strand->fiber, &next->fiber);
}

static uint64_t ring_expected(uint64_t seed, unsigned rounds) {
    uint64_t a = seed;
    uint64_t b = ~seed;
    double sum = 0;
    for (unsigned i = 0; i < rounds; i++) {
        a = step(a, i);
        b = step(b, a);
        sum += (double)(a & 0xff);
    }
    return a ^ b ^ (uint64_t)sum;
}

static const char *case_ring(unsigned switches) {
    const char *wrong = NULL;
    for (unsigned i = 0; i < RING; i++) {
        strand_init(&ring[i], ring_body);
        ring[i].state = i + 1;
        ring[i].rounds = switches / RING;
    }
    strand_run(&ring[0]);
    for (unsigned i = 0; i < RING; i++) {
        const char *found = strand_finish(&ring[i]);
        if (wrong == NULL)
            wrong = found;
        if (wrong == NULL &&
            ring[i].state != ring_expected(i + 1, switches / RING))
            wrong = "a checksum over many switches is wrong";
    }
    return wrong;
}

/* ---- deep stacks -------------------------------------------------------- */

enum { DEEP_FRAMES = 64, DEEP_BYTES = 1024 };

/* Each level keeps a kilobyte, parks at the bottom, and looks at it again. */
static bool go_deep(strand_t *strand, unsigned left) {
    volatile unsigned char block[DEEP_BYTES];
    unsigned char value = (unsigned char)(left * 7 + strand->state);
    for (size_t i = 0; i < DEEP_BYTES; i++)
        block[i] = value;
    bool good = true;
    if (left > 1)
        good = go_deep(strand, left - 1);
    else
        go_home(strand);
    for (size_t i = 0; i < DEEP_BYTES; i++)
        good = good && block[i] == value;
    return good;
}

static void deep_body(strand_t *strand) {
    for (int i = 0; i < 3; i++) {
        if (!go_deep(strand, DEEP_FRAMES))
            strand->wrong = "64 KiB of stack did not survive the switch";
    }
}

static const char *case_deep(void) {
    strand_t strands[2];
    strand_init(&strands[0], deep_body);
    strand_init(&strands[1], deep_body);
    strands[1].state = 99;
    for (int i = 0; i < 3; i++) {
        strand_run(&strands[0]);
        strand_run(&strands[1]);
    }
    const char *a = strand_finish(&strands[0]);
    const char *b = strand_finish(&strands[1]);
    return a != NULL ? a : b;
}

/* ---- varargs ------------------------------------------------------------ */

/* Saves vector registers to the stack with aligned moves. */
static double sum_of(int count, ...) {
    double sum = 0;
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++)
        sum += va_arg(list, double);
    va_end(list);
    return sum;
}

static void varargs_body(strand_t *strand) {
    char text[100];
    for (int i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof text, "%d %f %s %.3Lf %g", i, 0.5 + i, "x",
                       (long double)i / 4,
                       sum_of(9, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0));
        static const char *const expected[] = {"0 0.500000 x 0.000 45",
                                               "1 1.500000 x 0.250 45",
                                               "2 2.500000 x 0.500 45"};
        if (strcmp(text, expected[i]) != 0)
            strand->wrong = "floating-point arguments are wrong in a fiber";
        go_home(strand);
    }
}

static const char *case_varargs(void) {
    strand_t strand;
    strand_init(&strand, varargs_body);
    return strand_finish(&strand);
}

/* ---- unwinding ---------------------------------------------------------- */

#if !defined(UVA__SWITCH_UCONTEXT)

enum { UNWIND_LIMIT = 64, UNWIND_LEVELS = 4 };

void uva__switch_entry(void);

typedef struct walk {
    unsigned frames;
    uintptr_t function; /* of the last frame */
} walk_t;

static _Unwind_Reason_Code see_frame(struct _Unwind_Context *context,
                                     void *arg) {
    walk_t *walk = arg;
    walk->function = (uintptr_t)_Unwind_GetRegionStart(context);
    return ++walk->frames < UNWIND_LIMIT ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

static unsigned unwind_at(unsigned level);

/* Volatile, so that no level is merged with another. */
static unsigned (*volatile unwind_deeper)(unsigned level) = unwind_at;

/* Returns how many frames there are above; 0 when the last is not the entry. */
static unsigned unwind_at(unsigned level) {
    volatile unsigned frames = 0;
    if (level > 1) {
        frames = unwind_deeper(level - 1);
        return frames;
    }
    walk_t walk = {0};
    if (_Unwind_Backtrace(see_frame, &walk) != _URC_END_OF_STACK)
        return 0;
    return walk.function == (uintptr_t)uva__switch_entry ? walk.frames : 0;
}

static void unwind_body(strand_t *strand) {
    go_home(strand);
    unsigned near = unwind_deeper(1);
    unsigned far = unwind_deeper(1 + UNWIND_LEVELS);
    if (near == 0 || far == 0)
        strand->wrong = "unwinding does not end at the entry of the stack";
    else if (far != near + UNWIND_LEVELS)
        strand->wrong = "unwinding misses frames";
}

/* The unwinder of C++ and of profilers reads the same CFI as gdb. */
static const char *case_unwind(void) {
    strand_t strand;
    strand_init(&strand, unwind_body);
    return strand_finish(&strand);
}

#endif

#endif
