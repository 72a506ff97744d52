/*
 * The frame that a stack which does not run ends in, for each ABI: the one
 * place that knows its layout. Included by the assembly and by prepare.c,
 * whose _Static_asserts hold the C view of it to these numbers.
 *
 * Offsets are from the saved stack pointer, in bytes.
 *
 * UVA__ENTRY_SKIP is how far into uva__switch_entry the first frame of a stack
 * returns: past a nop. Unwinders take a return address for the end of a call
 * and look up what lies before it, which must belong to the same function.
 */
#ifndef UVA__FRAME_H
#define UVA__FRAME_H

#if defined(__x86_64__)
#define UVA__FRAME_MXCSR  0
#define UVA__FRAME_X87_CW 4
#define UVA__FRAME_R12    8
#define UVA__FRAME_R13    16
#define UVA__FRAME_R14    24
#define UVA__FRAME_R15    32
#define UVA__FRAME_RBX    40
#define UVA__FRAME_RBP    48
#define UVA__FRAME_RIP    56
#define UVA__FRAME_BYTES  64
#define UVA__ENTRY_SKIP   1
#elif defined(__aarch64__)
#define UVA__FRAME_X19   0 /* x19 .. x28 in pairs */
#define UVA__FRAME_X29   80
#define UVA__FRAME_X30   88
#define UVA__FRAME_D8    96 /* d8 .. d15 in pairs */
#define UVA__FRAME_BYTES 160
#define UVA__ENTRY_SKIP  4
#elif defined(__riscv) && __riscv_xlen == 64
#define UVA__FRAME_S0    0 /* s0 .. s11 */
#define UVA__FRAME_RA    96
#define UVA__FRAME_FS0   104 /* fs0 .. fs11, with hardware doubles */
#define UVA__FRAME_BYTES 208
#define UVA__ENTRY_SKIP  4
#endif

#endif
