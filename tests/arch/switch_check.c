/*
 * Runs the cases of switch_cases.h with nothing but libc, so for any machine
 * that there is a cross compiler and an emulator for. Ends with a line "N
 * passed, M failed".
 */
#include "arch/switch_cases.h"

enum { SWITCHES = 999999 };

static const char *many_switches(void) {
    return case_ring(SWITCHES);
}

typedef struct check {
    const char *name;
    const char *(*run)(void);
} check_t;

static const check_t checks[] = {
    {"ring", many_switches},       {"deep", case_deep},
    {"varargs", case_varargs},
#if !defined(REGISTERS_UNKNOWN)
    {"registers", case_registers}, {"registers, loop", case_registers_loop},
    {"alignment", case_alignment},
#endif
#if defined(__x86_64__)
    {"rounding", case_rounding},
#endif
#if !defined(UVA__SWITCH_UCONTEXT)
    {"unwind", case_unwind},
#endif
};

int main(void) {
    unsigned passed = 0;
    unsigned failed = 0;
    uva__fiber_init_thread(&home);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const char *wrong = checks[i].run();
        passed += wrong == NULL;
        failed += wrong != NULL;
        if (wrong != NULL)
            printf("%s: %s\n", checks[i].name, wrong);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
