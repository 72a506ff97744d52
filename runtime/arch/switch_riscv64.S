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
 * Return  by ret, for the reason in switch_x86_64_sysv.S.
 *
 * Unwind  CFI on every instruction; the entry has no caller, and there a
 *         backtrace ends.
 */
#if defined(__riscv) && __riscv_xlen == 64 && !defined(UVA__SWITCH_UCONTEXT)
#include "frame.h"

        .text

        .macro  SAVE reg, at
        sd      \reg, \at(sp)
        .cfi_rel_offset \reg, \at
        .endm

        .macro  LOAD reg, at
        ld      \reg, \at(sp)
        .cfi_restore \reg
        .endm

        .macro  FSAVE reg, at
        fsd     \reg, \at(sp)
        .cfi_rel_offset \reg, \at
        .endm

        .macro  FLOAD reg, at
        fld     \reg, \at(sp)
        .cfi_restore \reg
        .endm

        .macro  ALL_S op
        \op     s0, UVA__FRAME_S0
        \op     s1, UVA__FRAME_S0 + 8
        \op     s2, UVA__FRAME_S0 + 16
        \op     s3, UVA__FRAME_S0 + 24
        \op     s4, UVA__FRAME_S0 + 32
        \op     s5, UVA__FRAME_S0 + 40
        \op     s6, UVA__FRAME_S0 + 48
        \op     s7, UVA__FRAME_S0 + 56
        \op     s8, UVA__FRAME_S0 + 64
        \op     s9, UVA__FRAME_S0 + 72
        \op     s10, UVA__FRAME_S0 + 80
        \op     s11, UVA__FRAME_S0 + 88
        .endm

        .macro  ALL_FS op
#if defined(__riscv_float_abi_double)
        \op     fs0, UVA__FRAME_FS0
        \op     fs1, UVA__FRAME_FS0 + 8
        \op     fs2, UVA__FRAME_FS0 + 16
        \op     fs3, UVA__FRAME_FS0 + 24
        \op     fs4, UVA__FRAME_FS0 + 32
        \op     fs5, UVA__FRAME_FS0 + 40
        \op     fs6, UVA__FRAME_FS0 + 48
        \op     fs7, UVA__FRAME_FS0 + 56
        \op     fs8, UVA__FRAME_FS0 + 64
        \op     fs9, UVA__FRAME_FS0 + 72
        \op     fs10, UVA__FRAME_FS0 + 80
        \op     fs11, UVA__FRAME_FS0 + 88
#endif
        .endm

/* int uva__switch(void **save_sp [a0], void *load_sp [a1]) */
        .globl  uva__switch
        .hidden uva__switch
        .type   uva__switch, @function
        .align  6
uva__switch:
        .cfi_startproc
        addi    sp, sp, -UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset UVA__FRAME_BYTES
        SAVE    ra, UVA__FRAME_RA
        ALL_S   SAVE
        ALL_FS  FSAVE
        sd      sp, 0(a0)               /* *save_sp = this frame */
        mv      sp, a1                  /* now on the other stack, which ends */
                                        /* in the same frame: CFI stays true */
        LOAD    ra, UVA__FRAME_RA       /* where it goes on, first: ret waits */
        ALL_FS  FLOAD
        ALL_S   LOAD
        addi    sp, sp, UVA__FRAME_BYTES
        .cfi_adjust_cfa_offset -UVA__FRAME_BYTES
        li      a0, 0
        ret
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
        .option push
        .option norvc
        nop                             /* UVA__ENTRY_SKIP */
        .option pop
        li      s0, 0                   /* frame chains end here */
        li      ra, 0
        mv      a0, s2
        jalr    s1
        ebreak                          /* entry must not return */
        .cfi_endproc
        .size   uva__switch_entry, . - uva__switch_entry
#endif

#include "notes.inc"
