/*
 * ABI     Procedure Call Standard for the Arm 64-bit Architecture (AAPCS64),
 *         section 6.1 (machine registers)
 *
 * Frame   what a stack that does not run ends in; offsets in frame.h:
 *
 *           +96 ..  d8 .. d15    (their low 64 bits, as the ABI asks)
 *           +88     x30  where it goes on
 *           +80     x29  frame pointer
 *   sp ->   + 0 ..  x19 .. x28
 *
 * Saved   what the ABI calls callee-saved: x19-x29, x30, sp, d8-d15.
 *
 * Not     fpcr: the ABI makes it global state, not callee-saved, so a task that
 *         changes the rounding mode changes it for all. The signal mask. The
 *         guarded control stack (GCS).
 *
 * Return  by br x16, which may land on `bti c` and on code without guard. A
 *         return address is not signed here; code that signs its own (PAC)
 *         does so against its own sp, which is the same when it goes on.
 *
 * Unwind  CFI on every instruction; the entry has no caller, and there a
 *         backtrace ends.
 */
#if defined(__aarch64__) && !defined(UVA__SWITCH_UCONTEXT)
#include "frame.h"

        .text

/* void uva__switch(void **save_sp [x0], void *load_sp [x1]) */
        .globl  uva__switch
        .hidden uva__switch
        .type   uva__switch, %function
        .align  6
uva__switch:
        .cfi_startproc
        hint    #34                                /* bti c */
        sub     sp, sp, #UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset UVA__FRAME_BYTES
        stp     x19, x20, [sp, #UVA__FRAME_X19]    /* save in pairs */
        stp     x21, x22, [sp, #UVA__FRAME_X19 + 16]
        stp     x23, x24, [sp, #UVA__FRAME_X19 + 32]
        stp     x25, x26, [sp, #UVA__FRAME_X19 + 48]
        stp     x27, x28, [sp, #UVA__FRAME_X19 + 64]
        stp     x29, x30, [sp, #UVA__FRAME_X29]
        .cfi_rel_offset x29, UVA__FRAME_X29
        .cfi_rel_offset x30, UVA__FRAME_X30
        stp     d8, d9, [sp, #UVA__FRAME_D8]
        stp     d10, d11, [sp, #UVA__FRAME_D8 + 16]
        stp     d12, d13, [sp, #UVA__FRAME_D8 + 32]
        stp     d14, d15, [sp, #UVA__FRAME_D8 + 48]
        mov     x9, sp
        str     x9, [x0]                           /* *save_sp = this frame */
        mov     sp, x1                             /* now on the other stack, */
                                                   /* which ends in the same */
                                                   /* frame: CFI stays true */
        ldp     d14, d15, [sp, #UVA__FRAME_D8 + 48]
        ldp     d12, d13, [sp, #UVA__FRAME_D8 + 32]
        ldp     d10, d11, [sp, #UVA__FRAME_D8 + 16]
        ldp     d8, d9, [sp, #UVA__FRAME_D8]
        ldp     x29, x30, [sp, #UVA__FRAME_X29]
        .cfi_restore x29
        .cfi_restore x30
        ldp     x27, x28, [sp, #UVA__FRAME_X19 + 64]
        ldp     x25, x26, [sp, #UVA__FRAME_X19 + 48]
        ldp     x23, x24, [sp, #UVA__FRAME_X19 + 32]
        ldp     x21, x22, [sp, #UVA__FRAME_X19 + 16]
        ldp     x19, x20, [sp, #UVA__FRAME_X19]
        add     sp, sp, #UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset -UVA__FRAME_BYTES
        mov     x16, x30                           /* where it goes on */
        br      x16
        .cfi_endproc
        .size   uva__switch, . - uva__switch

/* The first thing that runs on a stack: calls entry [x19] with arg [x20]. */
        .globl  uva__switch_entry
        .hidden uva__switch_entry
        .type   uva__switch_entry, %function
        .align  4
uva__switch_entry:
        .cfi_startproc
        .cfi_undefined x30                         /* nobody called */
        hint    #34                                /* bti c */
        mov     x29, #0                            /* frame chains end here */
        mov     x30, #0
        mov     x0, x20
        blr     x19
        brk     #1                                 /* entry must not return */
        .cfi_endproc
        .size   uva__switch_entry, . - uva__switch_entry
#endif

        .section .note.GNU-stack, "", %progbits
