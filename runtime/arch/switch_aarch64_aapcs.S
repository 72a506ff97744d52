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
 * Return  by ret, for the reason in switch_x86_64_sysv.S, and because BTI does
 *         not guard ret: the object claims BTI. A return address is not signed
 *         here; code that signs its own (PAC) does so against its own sp, which
 *         is the same when it goes on.
 *
 * Unwind  CFI on every instruction; the entry has no caller, and there a
 *         backtrace ends.
 */
#if defined(__aarch64__) && !defined(UVA__SWITCH_UCONTEXT)
#include "frame.h"

        .text

        .macro  SAVE a, b, at
        stp     \a, \b, [sp, #\at]
        .cfi_rel_offset \a, \at
        .cfi_rel_offset \b, \at + 8
        .endm

        .macro  LOAD a, b, at
        ldp     \a, \b, [sp, #\at]
        .cfi_restore \a
        .cfi_restore \b
        .endm

/* int uva__switch(void **save_sp [x0], void *load_sp [x1]) */
        .globl  uva__switch
        .hidden uva__switch
        .type   uva__switch, %function
        .align  6
uva__switch:
        .cfi_startproc
        hint    #34                                /* bti c */
        sub     sp, sp, #UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset UVA__FRAME_BYTES
        SAVE    x19, x20, UVA__FRAME_X19           /* save in pairs */
        SAVE    x21, x22, UVA__FRAME_X19 + 16
        SAVE    x23, x24, UVA__FRAME_X19 + 32
        SAVE    x25, x26, UVA__FRAME_X19 + 48
        SAVE    x27, x28, UVA__FRAME_X19 + 64
        SAVE    x29, x30, UVA__FRAME_X29
        SAVE    d8, d9, UVA__FRAME_D8
        SAVE    d10, d11, UVA__FRAME_D8 + 16
        SAVE    d12, d13, UVA__FRAME_D8 + 32
        SAVE    d14, d15, UVA__FRAME_D8 + 48
        mov     x9, sp
        str     x9, [x0]                           /* *save_sp = this frame */
        mov     sp, x1                             /* now on the other stack, */
                                                   /* which ends in the same */
                                                   /* frame: CFI stays true */
        LOAD    x29, x30, UVA__FRAME_X29           /* ret waits for this */
        LOAD    d8, d9, UVA__FRAME_D8
        LOAD    d10, d11, UVA__FRAME_D8 + 16
        LOAD    d12, d13, UVA__FRAME_D8 + 32
        LOAD    d14, d15, UVA__FRAME_D8 + 48
        LOAD    x19, x20, UVA__FRAME_X19
        LOAD    x21, x22, UVA__FRAME_X19 + 16
        LOAD    x23, x24, UVA__FRAME_X19 + 32
        LOAD    x25, x26, UVA__FRAME_X19 + 48
        LOAD    x27, x28, UVA__FRAME_X19 + 64
        add     sp, sp, #UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset -UVA__FRAME_BYTES
        mov     w0, #0
        ret
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
        nop                                        /* UVA__ENTRY_SKIP */
        mov     x29, #0                            /* frame chains end here */
        mov     x30, #0
        mov     x0, x20
        blr     x19
        brk     #1                                 /* entry must not return */
        .cfi_endproc
        .size   uva__switch_entry, . - uva__switch_entry
#endif

#include "notes.inc"
