/*
 * ABI     RISC-V ELF psABI, integer and hardware floating-point calling
 *         conventions (lp64, lp64d)
 *
 * Frame   what a stack that does not run ends in; offsets in frame.h:
 *
 *           +104 ..  fs0 .. fs11  (lp64d)
 *           + 96     ra   where it goes on
 *   sp ->   +  0 ..  s0 .. s11
 *
 * Saved   what the ABI calls callee-saved: s0-s11, ra, sp, fs0-fs11.
 *
 * Not     fcsr: global state in the ABI. gp and tp: the thread's. The signal
 *         mask. Vector registers: none of them is callee-saved.
 *
 * Return  by jr t1, not by ret: a return-address stack would predict the stack
 *         that we came from.
 *
 * Unwind  CFI for what an unwinder needs; the entry has no caller, and there a
 *         backtrace ends.
 */
#if defined(__riscv) && __riscv_xlen == 64 && !defined(UVA__SWITCH_UCONTEXT)
#include "frame.h"

        .text

        .macro  ALL_S op
        \op     s0, UVA__FRAME_S0(sp)
        \op     s1, UVA__FRAME_S0 + 8(sp)
        \op     s2, UVA__FRAME_S0 + 16(sp)
        \op     s3, UVA__FRAME_S0 + 24(sp)
        \op     s4, UVA__FRAME_S0 + 32(sp)
        \op     s5, UVA__FRAME_S0 + 40(sp)
        \op     s6, UVA__FRAME_S0 + 48(sp)
        \op     s7, UVA__FRAME_S0 + 56(sp)
        \op     s8, UVA__FRAME_S0 + 64(sp)
        \op     s9, UVA__FRAME_S0 + 72(sp)
        \op     s10, UVA__FRAME_S0 + 80(sp)
        \op     s11, UVA__FRAME_S0 + 88(sp)
        .endm

        .macro  ALL_FS op
#if defined(__riscv_float_abi_double)
        \op     fs0, UVA__FRAME_FS0(sp)
        \op     fs1, UVA__FRAME_FS0 + 8(sp)
        \op     fs2, UVA__FRAME_FS0 + 16(sp)
        \op     fs3, UVA__FRAME_FS0 + 24(sp)
        \op     fs4, UVA__FRAME_FS0 + 32(sp)
        \op     fs5, UVA__FRAME_FS0 + 40(sp)
        \op     fs6, UVA__FRAME_FS0 + 48(sp)
        \op     fs7, UVA__FRAME_FS0 + 56(sp)
        \op     fs8, UVA__FRAME_FS0 + 64(sp)
        \op     fs9, UVA__FRAME_FS0 + 72(sp)
        \op     fs10, UVA__FRAME_FS0 + 80(sp)
        \op     fs11, UVA__FRAME_FS0 + 88(sp)
#endif
        .endm

/* void uva__switch(void **save_sp [a0], void *load_sp [a1]) */
        .globl  uva__switch
        .hidden uva__switch
        .type   uva__switch, @function
        .align  6
uva__switch:
        .cfi_startproc
        addi    sp, sp, -UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset UVA__FRAME_BYTES
        sd      ra, UVA__FRAME_RA(sp)
        .cfi_rel_offset ra, UVA__FRAME_RA
        ALL_S   sd
        .cfi_rel_offset s0, UVA__FRAME_S0
        ALL_FS  fsd
        sd      sp, 0(a0)               /* *save_sp = this frame */
        mv      sp, a1                  /* now on the other stack, which ends */
                                        /* in the same frame: CFI stays true */
        ALL_FS  fld
        ALL_S   ld
        .cfi_restore s0
        ld      ra, UVA__FRAME_RA(sp)
        .cfi_restore ra
        addi    sp, sp, UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset -UVA__FRAME_BYTES
        mv      t1, ra                  /* where it goes on */
        jr      t1
        .cfi_endproc
        .size   uva__switch, . - uva__switch

/* The first thing that runs on a stack: calls entry [s1] with arg [s2]. */
        .globl  uva__switch_entry
        .hidden uva__switch_entry
        .type   uva__switch_entry, @function
        .align  4
uva__switch_entry:
        .cfi_startproc
        .cfi_undefined ra               /* nobody called */
        li      s0, 0                   /* frame chains end here */
        li      ra, 0
        mv      a0, s2
        jalr    s1
        ebreak                          /* entry must not return */
        .cfi_endproc
        .size   uva__switch_entry, . - uva__switch_entry
#endif

        .section .note.GNU-stack, "", @progbits
