/* labels: threads valgrind; the switch: registers, control words, stacks.
 *
 * The cases themselves are in arch/switch_cases.h, where cross.sh finds them
 * for other machines. The label threads has ThreadSanitizer run it too.
 */
#include "support/support.h"

#include "arch/switch_cases.h"

/* One case of switch_cases.h. */
static void expect_good(const char *wrong) {
    ck_assert_msg(wrong == NULL, "%s", wrong);
}

#define SWITCH_TEST(name, call) \
    START_TEST(name) { \
        uva__fiber_init_thread(&home); \
        expect_good(call); \
    } \
    END_TEST

SWITCH_TEST(arch_switches_a_million_times,
            case_ring(support_is_slow() ? 9999 : 999999))
SWITCH_TEST(arch_keeps_deep_stacks, case_deep())
SWITCH_TEST(arch_passes_floating_point_arguments, case_varargs())

#if !defined(REGISTERS_UNKNOWN)
SWITCH_TEST(arch_keeps_callee_saved_registers, case_registers())
SWITCH_TEST(arch_keeps_them_to_and_from_a_loop, case_registers_loop())
SWITCH_TEST(arch_aligns_the_entry, case_alignment())
#define WITH_REGISTERS \
    , arch_keeps_callee_saved_registers, arch_keeps_them_to_and_from_a_loop, \
        arch_aligns_the_entry
#else
#define WITH_REGISTERS
#endif

#if defined(__x86_64__)
SWITCH_TEST(arch_keeps_rounding_modes_apart, case_rounding())
#define WITH_ROUNDING , arch_keeps_rounding_modes_apart
#else
#define WITH_ROUNDING
#endif

#if !defined(UVA__SWITCH_UCONTEXT)
SWITCH_TEST(arch_unwinds_to_the_end, case_unwind())
#define WITH_UNWIND , arch_unwinds_to_the_end
#else
#define WITH_UNWIND
#endif

SUITE("arch", arch_switches_a_million_times, arch_keeps_deep_stacks,
      arch_passes_floating_point_arguments WITH_REGISTERS WITH_ROUNDING
          WITH_UNWIND)
